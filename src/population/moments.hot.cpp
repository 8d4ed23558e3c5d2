// Compiled once for every instruction set, with GIHFLOW_ISA naming the set. Moments of single
// chains' losses and derivatives, see MomentTask.

#include "population/moments.hpp"

#include "population/segment.hpp"

namespace gihflow::GIHFLOW_ISA {

namespace {

using hot::MomentTask;

using N = PlainPack;

struct MomentWorkspace {
  Workspace<N> pass;  // of pair_features(); its y, g and den serve one tile
  Pack* jacobian;     // [sums] of eight pairs: derivative of each sum in n(Z,e)·g(e)
  double* weights;    // [pairs, rows] E(Z,q); each derivative's coefficient of n(Z,e)·g(e)
  Pack* seen;         // [d] u of eight windows
  Pack* of_token;     // [d, rows] Σ_Z n(Z,e)·weights
  Pack *loss, *factor, *level;  // [d] of each label, see terms_of_labels()
  Pack* column;                 // [d] the loss or a derivative if T were one-hot at each label
  Pack *total, *single;         // [d + 1] Σ (1, T) over a lane's chains; [d + 1, d + 1] its (1, T)
  Pack* x;                      // [d + 1, rows] of each of `single`, minus the shift
  double* shift;                // [rows] mean over the first tile
  Pack *sum, *square;           // [rows] Σ (x − shift); [rows + further] Σ (x − shift)²
};

MomentWorkspace moment_layout(Scratch& scratch, const ModelView& m, std::int64_t pairs,
                              std::int64_t derivatives) {
  MomentWorkspace s{};
  s.pass = layout<N>(scratch, m, pairs);
  const std::int64_t rows = 1 + derivatives, labels = m.d + 1;
  s.jacobian = scratch.take<Pack>(1 + m.subsets + m.patterns * m.H * m.M);
  s.weights = scratch.take<double>(pairs * rows);
  s.seen = scratch.take<Pack>(m.d);
  s.of_token = scratch.take<Pack>(m.d * rows);
  s.loss = scratch.take<Pack>(m.d);
  s.factor = scratch.take<Pack>(m.d);
  s.level = scratch.take<Pack>(m.d);
  s.column = scratch.take<Pack>(m.d);
  s.total = scratch.take<Pack>(labels);
  s.single = scratch.take<Pack>(labels * labels);
  s.x = scratch.take<Pack>(labels * rows);
  s.shift = scratch.take<double>(rows);
  s.sum = scratch.take<Pack>(rows);
  s.square = scratch.take<Pack>(rows + m.H);
  return s;
}

std::int64_t moment_scratch(const ModelView& m, std::int64_t pairs, std::int64_t derivatives) {
  Scratch counting{nullptr};
  moment_layout(counting, m, pairs, derivatives);
  return counting.doubles;
}

/// Whether products of a count and a weight are made exact: the weights go without so many of their
/// last bits, 1.4e-14 of themselves.
template <class Count>
constexpr bool exact_products = sizeof(Count) == 1;

/// x rounded to 45 bits (Veltkamp 1968), whose product with a count of one byte has at most 53.
inline Pack without_last_bits(const Pack& x) {
  const Pack large = x * (0x1p8 + 1.0);
  return large - (large - x);
}

/// Writes the weights of the group's pairs, from E(Z,q), k and t_h by formula (4.3).
template <class Count>
void weigh_pairs(const MomentTask& task, MomentWorkspace& w, std::int64_t first,
                 std::int64_t pairs) {
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
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
      Pack g = s.t_bar[h] * task.point->a, weight;
      if (m.rectify) g = g * s.slope[j / hot::pack * m.H + h];
      const std::uint16_t* seen = seen_by(m, v.pair_digits + (first + j) * m.W, h, hot::pack);
      const std::uint16_t* own = seen_by(m, v.query_digits + task.segment.group * m.W, h);
      for (std::int64_t k = 0; k < m.d; ++k) set(w.seen[k], 0.0);
      for (std::int64_t i = 0; i < m.M; ++i) {
        set(weight, s.sigma[h * m.M + i]);
        add_to_columns(weight, w.seen, m.d, seen + i * hot::pack);
      }
      // ∂⟨u_h(Z), u_h(q)⟩/∂σ_i: through Z's token, and through the query's.
      for (std::int64_t i = 0; i < m.M; ++i) {
        Pack slope;
        look_up(slope, s.u + h * (m.d + 1), m.d, seen + i * hot::pack);
        *sum++ = g * (slope + w.seen[own[i]]);
      }
    }
    double* weights = w.weights + j * (1 + task.derivatives);
    const auto put = [&](const Pack& x, std::int64_t row) {
      const Pack weight = exact_products<Count> ? without_last_bits(x) : x;
      for (int l = 0; l < hot::pack; ++l)
        weights[l * (1 + task.derivatives) + row] = lane(weight, l);
    };
    put(e, 0);
    for (std::int64_t row = 0; row < task.derivatives; ++row) {
      Pack weight;
      set(weight, 0.0);
      for (std::int64_t i = task.first_sum[row]; i < task.end_sum[row]; ++i)
        weight = weight + w.jacobian[i] * task.from_sums[row * sums + i];
      put(weight, 1 + row);
    }
  }
}

/// of_token[0 … R − 1] = Σ n·weights[pair, 0 … R − 1] over the entries [begin, end) of one token.
template <int R, class Count>
void weigh_counts(const Count* counts, const std::uint32_t* pair, const double* weights,
                  std::int64_t stride, std::int64_t begin, std::int64_t end, Pack* of_token) {
  Pack sum[R];
  for (int r = 0; r < R; ++r) set(sum[r], 0.0);
  for (std::int64_t i = begin; i < end; ++i) {
    Pack n;
    load_counts(n, counts + i * N::lanes);
    const double* weight = weights + pair[i] * stride;
    for (int r = 0; r < R; ++r) {
      if constexpr (exact_products<Count>)
        sum[r] = plus_exact(sum[r], weight[r], n);
      else
        sum[r] = sum[r] + n * weight[r];
    }
  }
  for (int r = 0; r < R; ++r) of_token[r] = sum[r];
}

/// The same for all `rows` weights, as many at a time as the registers hold: each loop over such a
/// short list of entries ends in a branch that the processor predicts badly.
template <class Count>
void weigh_counts_of_token(const Count* counts, const std::uint32_t* pair, const double* weights,
                           std::int64_t rows, std::int64_t begin, std::int64_t end,
                           Pack* of_token) {
#if defined(__AVX512F__)
  constexpr int most = 15;
#else
  constexpr int most = 5;
#endif
  std::int64_t row = 0;
  for (; row + most <= rows; row += most)
    weigh_counts<most>(counts, pair, weights + row, rows, begin, end, of_token + row);
  for (; row < rows; ++row)
    weigh_counts<1>(counts, pair, weights + row, rows, begin, end, of_token + row);
}

/// For each label, as if T were one-hot at it: the loss, and factor and level such that by (4.2) a
/// derivative is factor·(level·Σ_e O(e) − O(label)), O(e) its number in of_token. With readout
/// softmax Σ_e s(e)·O(e), s = softmax(y), is added inside the brackets, and pass.g keeps s.
void terms_of_labels(const ModelView& m, MomentWorkspace& w) {
  const Workspace<N>& s = w.pass;
  Pack total, zero, share;
  set(total, 0.0);
  set(zero, 0.0);
  set(share, 1.0);
  share = share / *s.den;
  if (m.softmax) {
    for (std::int64_t e = 0; e < m.d; ++e) {
      s.g[e] = exponential(s.y[e]);
      total = total + s.g[e];
    }
    Pack mean = zero;
    for (std::int64_t e = 0; e < m.d; ++e) {
      s.g[e] = s.g[e] / total;
      mean = mean + s.g[e] * s.y[e];
    }
    total = logarithm(total);
    for (std::int64_t e = 0; e < m.d; ++e) {
      w.loss[e] = total - s.y[e];
      w.factor[e] = share;
      w.level[e] = s.y[e] - mean;
    }
    return;
  }
  const double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
  for (std::int64_t e = 0; e < m.d; ++e) {
    Pack smoothed = s.y[e] + m.epsilon;
    smoothed = where_positive(smoothed + -smallest_normal, smoothed, zero);
    w.loss[e] = zero - logarithm(smoothed * scale);
    w.factor[e] = where_positive(smoothed, share / smoothed, zero);
    w.level[e] = s.y[e];
  }
}

/// Writes (1, T) of a tile's chains to total and single, and returns how many of `single` are in
/// use: the most chains of a lane, but at most d + 1. Lanes of fewer chains have zeros there.
std::int64_t take_labels(const MomentTask& task, MomentWorkspace& w, std::int64_t tile) {
  const ModelView& m = *task.model;
  const std::int64_t labels = m.d + 1;
  const std::int64_t* begin = task.lane_begin + tile * N::lanes;
  double chains[N::lanes];
  std::int64_t most = 0;
  for (int l = 0; l < N::lanes; ++l) {
    const std::int64_t count = begin[l + 1] - begin[l];
    chains[l] = static_cast<double>(count);
    if (count > most) most = count;
  }
  load(w.total[0], chains);
  for (std::int64_t e = 0; e < m.d; ++e)
    load(w.total[1 + e], task.statistics->targets + (tile * m.d + e) * N::lanes);
  if (most == 1) {
    for (std::int64_t e = 0; e < labels; ++e) w.single[e] = w.total[e];
    return 1;
  }
  if (most > labels) most = labels;
  for (std::int64_t k = 0; k < most; ++k) {
    double x[N::lanes];
    const double* from[N::lanes];
    for (int l = 0; l < N::lanes; ++l) {
      x[l] = 0.0;
      from[l] = nullptr;
      if (begin[l] + k >= begin[l + 1]) continue;
      const std::int64_t chain = task.chains[begin[l] + k];
      from[l] = chain >= 0 ? task.targets + chain * m.d : task.condensed - (chain + 1) * labels + 1;
      x[l] = chain >= 0 ? 1.0 : from[l][-1];
    }
    load(w.single[k * labels], x);
    for (std::int64_t e = 0; e < m.d; ++e) {
      for (int l = 0; l < N::lanes; ++l) x[l] = from[l] == nullptr ? 0.0 : from[l][e];
      load(w.single[k * labels + 1 + e], x);
    }
  }
  return most;
}

/// Adds number `number` of each chain, the loss or a derivative, which is Σ_e T(e)·column(e), to
/// sum and square. The mean over the first tile becomes its shift. D: d, or 0 if only known at run
/// time.
template <int D>
[[gnu::always_inline]] inline void add_number(const MomentWorkspace& w, const Pack* column,
                                              std::int64_t labels, std::int64_t rows,
                                              std::int64_t singles, bool first,
                                              std::int64_t number) {
  const std::int64_t d = D > 0 ? D : labels - 1;
  const auto times_column = [&](const Pack* label) {
    Pack sum = label[1] * column[0];
    for (std::int64_t e = 1; e < d; ++e) sum = sum + label[1 + e] * column[e];
    return sum;
  };
  Pack x = times_column(w.total);
  if (first) w.shift[number] = sum_lanes(x) / sum_lanes(w.total[0]);
  const double shift = w.shift[number];
  x = x - w.total[0] * shift;
  w.sum[number] = w.sum[number] + x;
  if (singles == 1) {
    w.x[number] = x;
    w.square[number] = w.square[number] + x * x;
    return;
  }
  Pack square = w.square[number];
  for (std::int64_t k = 0; k < singles; ++k) {
    const Pack* label = w.single + k * (d + 1);
    const Pack one = times_column(label) - label[0] * shift;
    w.x[k * rows + number] = one;
    square = square + one * one;
  }
  w.square[number] = square;
}

/// Adds loss and derivatives of the chains of a tile.
template <int D>
void add_tile(const MomentTask& task, const MomentWorkspace& workspace, std::int64_t singles,
              bool first) {
  const MomentWorkspace w = workspace;  // a copy, whose pointers the compiler keeps in registers
  const ModelView& m = *task.model;
  const std::int64_t d = D > 0 ? D : m.d, rows = 1 + task.derivatives;
  Pack zero, some[D > 0 ? D : 1];
  Pack* const column = D > 0 ? some : w.column;
  set(zero, 0.0);
  // A label to which no chain of the lane gives weight may cost ∞, and 0·∞ is NaN.
  for (std::int64_t e = 0; e < d; ++e) column[e] = where_positive(w.total[1 + e], w.loss[e], zero);
  add_number<D>(w, column, d + 1, rows, singles, first, 0);
  for (std::int64_t row = 1; row < rows; ++row) {
    const Pack* of_token = w.of_token + row;
    Pack all = of_token[0], mean = zero;
    for (std::int64_t e = 1; e < d; ++e) all = all + of_token[e * rows];
    if (m.softmax)
      for (std::int64_t e = 0; e < d; ++e) mean = mean + w.pass.g[e] * of_token[e * rows];
    for (std::int64_t e = 0; e < d; ++e) {
      Pack x = w.level[e] * all;
      if (m.softmax) x = x + mean;
      column[e] = w.factor[e] * (x - of_token[e * rows]);
    }
    add_number<D>(w, column, d + 1, rows, singles, first, row);
  }
  for (std::int64_t i = 0; i < task.further; ++i)
    for (std::int64_t k = 0; k < singles; ++k) {
      Pack x = zero;
      for (std::int64_t other = 0; other < m.M - 1; ++other)
        x = x + w.x[k * rows + 1 + task.others[i * (m.M - 1) + other]];
      w.square[rows + i] = w.square[rows + i] + x * x;
    }
}

/// From sums about the shift to mean and squares about the mean.
void finish(const MomentTask& task, const MomentWorkspace& w) {
  const ModelView& m = *task.model;
  const std::int64_t rows = 1 + task.derivatives;
  const double chains = static_cast<double>(task.lane_begin[task.segment.tile_end * N::lanes] -
                                            task.lane_begin[task.segment.tile_begin * N::lanes]);
  const auto put = [&](std::int64_t number, double shift, double sum) {
    task.mean[number] = shift + sum / chains;
    const double squares = sum_lanes(w.square[number]) - sum * (sum / chains);
    task.squares[number] = squares < 0.0 ? 0.0 : squares;
  };
  for (std::int64_t number = 0; number < rows; ++number)
    put(number, w.shift[number], sum_lanes(w.sum[number]));
  for (std::int64_t i = 0; i < task.further; ++i) {
    double shift = 0.0, sum = 0.0;
    for (std::int64_t k = 0; k < m.M - 1; ++k) {
      const std::int64_t other = 1 + task.others[i * (m.M - 1) + k];
      shift -= w.shift[other];
      sum -= sum_lanes(w.sum[other]);
    }
    put(rows + i, shift, sum);
  }
}

template <class Count>
bool run_moments(const MomentTask& task) {
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  const std::int64_t first = v.group_pairs[task.segment.group],
                     pairs = v.group_pairs[task.segment.group + 1] - first;
  const std::int64_t derivatives = task.derivatives;
  Scratch scratch{task.scratch};
  MomentWorkspace w = moment_layout(scratch, m, pairs, derivatives);
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
  weigh_pairs<Count>(task, w, first, pairs);
  for (std::int64_t i = 0; i <= derivatives; ++i) set(w.sum[i], 0.0);
  for (std::int64_t i = 0; i <= derivatives + task.further; ++i) set(w.square[i], 0.0);
  const Count* counts = static_cast<const Count*>(v.entry_count);
  const std::int64_t rows = 1 + derivatives;
  for (std::int64_t tile = task.segment.tile_begin; tile < task.segment.tile_end; ++tile) {
    const std::int64_t* begin = v.tile_entries + tile * m.d;
    Pack one;
    set(one, 1.0);
    set(*s.den, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      Pack* of_token = w.of_token + e * rows;
      weigh_counts_of_token(counts, v.entry_pair, w.weights, rows, begin[e], begin[e + 1],
                            of_token);
      s.y[e] = of_token[0];
      *s.den = *s.den + s.y[e];
    }
    const Pack share = one / *s.den;
    for (std::int64_t e = 0; e < m.d; ++e) s.y[e] = s.y[e] * share;
    terms_of_labels(m, w);
    const std::int64_t singles = take_labels(task, w, tile);
    const bool first_tile = tile == task.segment.tile_begin;
    if (m.d == PaperSizes::size)
      add_tile<PaperSizes::size>(task, w, singles, first_tile);
    else
      add_tile<0>(task, w, singles, first_tile);
  }
  finish(task, w);
  return true;
}

}  // namespace

extern const hot::MomentFunctions moment_functions;

const hot::MomentFunctions moment_functions = {
    {run_moments<std::uint8_t>, run_moments<std::uint16_t>, run_moments<std::uint32_t>},
    moment_scratch};

}  // namespace gihflow::GIHFLOW_ISA
