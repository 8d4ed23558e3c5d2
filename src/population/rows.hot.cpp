// Compiled once for every instruction set, with GIHFLOW_ISA naming the set.

#include "population/rows.hpp"

#include "population/segment.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

using hot::RowTask;

using N = PlainPack;

struct RowWorkspace {
  Workspace<N> pass;
  Pack* jacobian;    // of eight pairs, [sums]: what a count times g(e) of them adds to each sum
  double* weights;   // the same of a row's derivatives, [pairs, width − 1]
  Pack* of_token;    // Σ n(Z,e)·weights [d, width − 1], a lane for each chain
  Pack *loss, *row;  // of each label [d]; of the lanes' chains [width − 1]
  double* targets;   // of the lanes' chains [d, lanes]
};

RowWorkspace row_layout(Scratch& scratch, const ModelView& m, std::int64_t pairs,
                        std::int64_t width) {
  RowWorkspace s{
      layout<N>(scratch, m, pairs), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  s.jacobian = scratch.take<Pack>(1 + m.subsets + m.patterns * m.H * m.M);
  s.weights = scratch.take<double>(pairs * (width - 1));
  s.of_token = scratch.take<Pack>(m.d * (width - 1));
  s.loss = scratch.take<Pack>(m.d);
  s.row = scratch.take<Pack>(width - 1);
  s.targets = scratch.take<double>(m.d * pack_lanes);
  return s;
}

std::int64_t row_scratch(const ModelView& m, std::int64_t pairs, std::int64_t width) {
  Scratch counting{nullptr};
  row_layout(counting, m, pairs, width);
  return counting.doubles;
}

/// ∂⟨u_h(Z), u_h(q)⟩/∂σ_i of eight windows Z: through Z's token, and through the query's.
Pack slope_of_attention(const RowTask& task, const Workspace<N>& s, std::int64_t pair,
                        std::int64_t h, std::int64_t i) {
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  const std::uint16_t* seen = seen_by(m, v.pair_digits + pair * m.W, h, hot::pack);
  const std::uint16_t own = seen_by(m, v.query_digits + task.segment.group * m.W, h)[i];
  double slope[hot::pack];
  for (std::int64_t l = 0; l < hot::pack; ++l) {
    slope[l] = s.u[h * (m.d + 1) + seen[i * hot::pack + l]];
    for (std::int64_t k = 0; k < m.M; ++k)
      if (seen[k * hot::pack + l] == own) slope[l] += s.sigma[h * m.M + k];
  }
  Pack x;
  load(x, slope);
  return x;
}

/// From E(Z,q), k and κ of the pairs to the weights, formulas (4.3)–(4.5).
void weigh_pairs(const RowTask& task, RowWorkspace& w, std::int64_t first, std::int64_t pairs) {
  const ModelView& m = *task.model;
  Workspace<N>& s = w.pass;
  const std::int64_t sums = 1 + m.subsets + m.patterns * m.H * m.M;
  for (std::int64_t j = 0; j < pairs; j += hot::pack) {
    Pack e;
    load_lanes(e, s.e + j);
    const Pack* t = s.t + j / hot::pack * m.H;
    products(m, t, s.kappa);
    Pack* sum = w.jacobian;
    *sum++ = e * s.k[j / hot::pack];
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      *sum++ = e * s.kappa[i];
      s.kappa_bar[i] = e * s.p[i];
    }
    products_backward(m, t, s.kappa, s.kappa_bar, s.t_bar);
    for (std::int64_t h = 0; h < m.H; ++h) {
      Pack g = s.t_bar[h] * task.point->a;
      if (m.rectify) g = g * s.slope[j / hot::pack * m.H + h];
      for (std::int64_t i = 0; i < m.M; ++i)
        *sum++ = g * slope_of_attention(task, s, first + j, h, i);
    }
    for (std::int64_t row = 0; row < task.width - 1; ++row) {
      Pack weight;
      set(weight, 0.0);
      for (std::int64_t i = 0; i < sums; ++i)
        weight = weight + w.jacobian[i] * task.from_sums[row * sums + i];
      for (int l = 0; l < hot::pack; ++l)
        w.weights[(j + l) * (task.width - 1) + row] = lane(weight, l);
    }
  }
}

/// of_token[row … row + R − 1] = Σ n·weight over the entries [begin, end) of one token.
template <int R, class Count>
void weigh_counts(const Count* counts, const std::uint32_t* pair, const double* weights,
                  std::int64_t stride, std::int64_t begin, std::int64_t end, Pack* of_token) {
  Pack sum[R];
  for (int r = 0; r < R; ++r) set(sum[r], 0.0);
  for (std::int64_t i = begin; i < end; ++i) {
    Pack n;
    load_counts(n, counts + i * N::lanes);
    const double* weight = weights + pair[i] * stride;
    for (int r = 0; r < R; ++r) sum[r] = sum[r] + n * weight[r];
  }
  for (int r = 0; r < R; ++r) of_token[r] = sum[r];
}

/// −log of what the readout y gives each label, in every lane.
void losses_of_labels(const ModelView& m, const Pack* y, Pack* loss) {
  Pack total, zero;
  set(total, 0.0);
  set(zero, 0.0);
  if (m.softmax) {
    for (std::int64_t e = 0; e < m.d; ++e) total = total + exponential(y[e]);
    total = logarithm(total);
    for (std::int64_t e = 0; e < m.d; ++e) loss[e] = total - y[e];
    return;
  }
  const double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
  for (std::int64_t e = 0; e < m.d; ++e) {
    Pack smoothed = y[e] + m.epsilon;
    smoothed = where_positive(smoothed + -smallest_normal, smoothed, zero);
    loss[e] = zero - logarithm(smoothed * scale);
  }
}

/// The rows of a tile's chains from y, den and of_token, one chain of every lane at a time.
void write_rows(const RowTask& task, RowWorkspace& w, std::int64_t tile) {
  const ModelView& m = *task.model;
  Workspace<N>& s = w.pass;
  const std::int64_t width = task.width - 1;
  const std::int64_t* slot = task.slot_begin + tile * N::lanes;
  losses_of_labels(m, s.y, w.loss);
  std::int64_t most = 0;  // chains of a lane
  for (int l = 0; l < N::lanes; ++l)
    if (slot[l + 1] - slot[l] > most) most = slot[l + 1] - slot[l];
  for (std::int64_t k = 0; k < most; ++k) {
    std::int64_t chain[N::lanes];
    for (int l = 0; l < N::lanes; ++l) {
      chain[l] = slot[l] + k < slot[l + 1] ? task.chains[slot[l] + k] : -1;
      for (std::int64_t e = 0; e < m.d; ++e)
        w.targets[e * N::lanes + l] = chain[l] < 0 ? 0.0 : task.targets[chain[l] * m.d + e];
    }
    loss_of_tile<N>(m, s.y, s.g, *s.den, w.targets, N::lanes, false);
    for (std::int64_t row = 0; row < width; ++row) {
      Pack sum = s.g[0] * w.of_token[row];
      for (std::int64_t e = 1; e < m.d; ++e) sum = sum + s.g[e] * w.of_token[e * width + row];
      w.row[row] = sum;
    }
    for (int l = 0; l < N::lanes; ++l) {
      if (chain[l] < 0) continue;
      double* to = task.rows + chain[l] * task.width;
      *to = 0.0;
      for (std::int64_t e = 0; e < m.d; ++e) {
        const double target = w.targets[e * N::lanes + l];
        if (target > 0.0) *to += target * lane(w.loss[e], l);
      }
      for (std::int64_t row = 0; row < width; ++row) *++to = lane(w.row[row], l);
    }
  }
}

template <class Count>
bool run_rows(const RowTask& task) {
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  const std::int64_t first = v.group_pairs[task.segment.group],
                     pairs = v.group_pairs[task.segment.group + 1] - first, width = task.width - 1;
  Scratch scratch{task.scratch};
  RowWorkspace w = row_layout(scratch, m, pairs, task.width);
  Workspace<N>& s = w.pass;
  for (std::int64_t i = 0; i < m.subsets; ++i) s.p[i] = task.point->p[i];
  for (std::int64_t i = 0; i < m.H * m.M; ++i) s.sigma[i] = task.point->sigma[i];
  BlockTask block{};
  block.model = task.model;
  block.statistics = task.statistics;
  double top = 0.0, bottom = 0.0;
  Relative<N>::begin_group(block, s, task.segment.group, 0);
  pair_features<Relative>(block, s, first, pairs, task.point->a, top, bottom);
  if (top - bottom > widest_spread && top - bottom < __builtin_huge_val()) return false;
  exponentials(s.x, top, s.e, pairs);
  weigh_pairs(task, w, first, pairs);
  const Count* counts = static_cast<const Count*>(v.entry_count);
  for (std::int64_t tile = task.segment.tile_begin; tile < task.segment.tile_end; ++tile) {
    const std::int64_t* begin = v.tile_entries + tile * m.d;
    Pack one;
    set(one, 1.0);
    set(*s.den, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      s.y[e] = weighted_counts<N>(counts, v.entry_pair, s.e, begin[e], begin[e + 1]);
      *s.den = *s.den + s.y[e];
      std::int64_t row = 0;
      for (; row + 6 <= width; row += 6)
        weigh_counts<6>(counts, v.entry_pair, w.weights + row, width, begin[e], begin[e + 1],
                        w.of_token + e * width + row);
      for (; row < width; ++row)
        weigh_counts<1>(counts, v.entry_pair, w.weights + row, width, begin[e], begin[e + 1],
                        w.of_token + e * width + row);
    }
    const Pack share = one / *s.den;
    for (std::int64_t e = 0; e < m.d; ++e) s.y[e] = s.y[e] * share;
    write_rows(task, w, tile);
  }
  return true;
}

}  // namespace

extern const hot::RowFunctions row_functions;

const hot::RowFunctions row_functions = {
    {run_rows<std::uint8_t>, run_rows<std::uint16_t>, run_rows<std::uint32_t>}, row_scratch};

}  // namespace gihflow::GIHFLOW_ISA
