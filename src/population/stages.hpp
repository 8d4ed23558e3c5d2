#pragma once

// One loss and gradient on sufficient statistics, formulas (4.1)–(4.5), in stages for many threads:
// a·k of the window pairs (here), readout and loss of the chains and from there back to the pairs
// (tile_stages.hpp), and from pairs to sums (here). A stage is a functor, called once for each of
// its items, or once for each of its blocks by every thread of a team: the threads of a CUDA block,
// or on the host one thread alone. The result does not depend on the order of items.
//
// A team has index() in [0, size()), warp() in [0, warps()), lane() in [0, lanes()) and sync();
// sum(x) over the team and warp_sum(x) over a warp, which all threads of the team or of the warp
// call; and memory(), as many bytes of its own as the launch asks for.

#include "population/formulas.hpp"
#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

/// The model point as the stages read it, one after the other: a, p [subsets], σ [patterns, H, M],
/// and the shift, a number that is subtracted from every a·k before exp().
template <class S>
struct PointOnCard {
  const S* a;
  GIHFLOW_HD const S* p() const { return a + 1; }
  GIHFLOW_HD const S* sigma(const ModelView& m) const { return a + 1 + m.subsets; }
  GIHFLOW_HD double shift(const ModelView& m) const {
    return value(sigma(m)[m.patterns * m.H * m.M]);
  }
};

/// Arrays over window pairs, [pairs] each.
template <class S>
struct PairsOnCard {
  const std::uint32_t* group;       ///< the group that a pair belongs to
  const std::int64_t* slot;         ///< where in `partial` the sums Σ n·g of a pair begin
  const std::int32_t* slot_count;   ///< how many there are
  const std::int32_t* slot_stride;  ///< how far apart they are
  std::int64_t count;
  S *t, *x, *e;  ///< t_h [H, pairs], a·k, and E(Z,q)
  S* partial;    ///< sums Σ n·g over some of a pair's entries [slots]
};

/// The tokens at the lags that a head sees, and its attention to them.
template <class S>
struct Seen {
  const std::uint16_t* token;  ///< [size], `stride` apart
  std::int64_t stride;
  const S* weight;  ///< σ [size]
  int size;

  /// v(token) = Σ_i σ_i 1(x_i = token), (2.1).
  GIHFLOW_HD S share_of(std::uint16_t wanted) const {
    S sum;
    set(sum, 0.0);
    for (int i = 0; i < size; ++i)
      if (token[i * stride] == wanted) sum = sum + weight[i];
    return sum;
  }
  /// ⟨v, v'⟩.
  GIHFLOW_HD S product(const Seen& other) const {
    S sum;
    set(sum, 0.0);
    for (int i = 0; i < size; ++i) sum = sum + weight[i] * other.share_of(token[i * stride]);
    return sum;
  }
  GIHFLOW_HD S norm() const { return square_root(product(*this)); }
};

/// What head h sees of the window of pair j, and of its query.
template <class S>
GIHFLOW_HD Seen<S> seen_in_window(const ModelView& m, const StatisticsView& v, const S* sigma,
                                  std::int64_t j, std::int64_t h) {
  const std::int64_t pattern = m.patterns > 1 ? v.pair_existing[j] : 0;
  return {v.pair_digits + (j / hot::pack * m.W + m.first_lag[h]) * hot::pack + j % hot::pack,
          hot::pack, sigma + (pattern * m.H + h) * m.M, static_cast<int>(m.M)};
}
template <class S>
GIHFLOW_HD Seen<S> seen_in_query(const ModelView& m, const StatisticsView& v, const S* sigma,
                                 std::int64_t group, std::int64_t h) {
  const std::int64_t pattern = m.patterns > 1 ? v.query_existing[group] : 0;
  return {v.query_digits + group * m.W + m.first_lag[h], 1, sigma + (pattern * m.H + h) * m.M,
          static_cast<int>(m.M)};
}

/// κ_S = Π_{h∈S} t_h, with t_h at t[h·stride].
template <class S>
GIHFLOW_HD S product_of(std::uint32_t mask, const S* t, std::int64_t stride) {
  S product;
  set(product, 1.0);
  for (; mask != 0; mask >>= 1, t += stride)
    if (mask & 1u) product = product * *t;
  return product;
}

/// Item: a pair. t_h, a·k and E = e^{a·k − shift}.
template <class S>
struct PairForward {
  ModelView m;
  StatisticsView v;
  PointOnCard<S> point;
  PairsOnCard<S> pairs;

  GIHFLOW_HD void operator()(std::int64_t j) const {
    const S *p = point.p(), *sigma = point.sigma(m);
    S* t = pairs.t + j;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const Seen<S> window = seen_in_window(m, v, sigma, j, h),
                    query = seen_in_query(m, v, sigma, pairs.group[j], h);
      S height = window.product(query);
      if (m.l2) height = height / (query.norm() + norm_guard) / (window.norm() + norm_guard);
      t[h * pairs.count] = height;
    }
    S k;
    set(k, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i)
      k = k + p[i] * product_of(m.masks[i], t, pairs.count);
    const S x = point.a[0] * k;
    pairs.x[j] = x;
    pairs.e[j] = exponential(x - point.shift(m));
  }
};

/// Block: `per_block` pairs. From Σ n·g to ΣB·k, ΣB·κ_S and N·∂𝓛/∂σ, (4.3)–(4.5).
template <class S>
struct PairBackward {
  ModelView m;
  StatisticsView v;
  PointOnCard<S> point;
  PairsOnCard<S> pairs;
  std::int64_t per_block, size, half;  ///< `size` numbers, from `half` on the derivatives
  double* out;                         ///< [blocks, size]
  bool weighted;                       ///< the partial sums are Σ n·E·g

  GIHFLOW_HD static std::int64_t memory(std::int64_t size, std::int64_t threads) {
    return size * threads * static_cast<std::int64_t>(sizeof(double));
  }

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    double* rows = static_cast<double*>(team.memory());
    Sums own{rows + team.index(), team.size(), half};  // each thread has sums of its own
    for (std::int64_t i = 0; i < size; ++i) own.number[i * own.stride] = 0.0;
    const std::int64_t end = block * per_block + per_block;
    for (std::int64_t j = block * per_block + team.index(); j < end && j < pairs.count;
         j += team.size())
      add_pair(own, j);
    team.sync();
    for (std::int64_t i = team.warp(); i < size; i += team.warps()) {
      double sum = 0.0;
      for (std::int64_t k = team.lane(); k < team.size(); k += team.lanes())
        sum += rows[i * team.size() + k];
      sum = team.warp_sum(sum);
      if (team.lane() == 0) out[block * size + i] = sum;
    }
  }

 private:
  /// N·B(Z,q) of a pair: its partial sums, added in their order and times E. Several are loaded
  /// before they are added.
  GIHFLOW_HD S weight_of(std::int64_t j) const {
    constexpr int ahead = 8;
    const S* partial = pairs.partial + pairs.slot[j];
    const std::int64_t stride = pairs.slot_stride[j];
    const std::int32_t count = pairs.slot_count[j];
    S b;
    set(b, 0.0);
    std::int32_t i = 0;
    for (; i + ahead <= count; i += ahead) {
      S x[ahead];
      for (int k = 0; k < ahead; ++k) x[k] = partial[(i + k) * stride];
      for (int k = 0; k < ahead; ++k) b = b + x[k];
    }
    for (; i < count; ++i) b = b + partial[i * stride];
    return weighted ? b : S(b * pairs.e[j]);
  }

  /// ∂t_h/∂σ_i through one window of the pair, `side`, with features v; those of the other are v'.
  /// It is v'(x_i), or with l2 (u'(x_i) − v(x_i)·t/‖v‖)/(‖v‖ + 1e-7), 0 at v = 0, see (4.5).
  GIHFLOW_HD S slope(const Seen<S>& side, const Seen<S>& other, std::int64_t i, const S& t,
                     const S& norm, const S& other_norm) const {
    const std::uint16_t token = side.token[i * side.stride];
    S x = other.share_of(token);
    if (!m.l2) return x;
    S zero;
    set(zero, 0.0);
    x = x / (other_norm + norm_guard) - side.share_of(token) * t / norm;
    return where_positive(value(norm), x / (norm + norm_guard), zero);
  }

  GIHFLOW_HD void add_pair(Sums& own, std::int64_t j) const {
    const S b = weight_of(j);
    const S *t = pairs.t + j, *p = point.p(), *sigma = point.sigma(m);
    S k, zero;
    set(k, 0.0);
    set(zero, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      const S kappa = product_of(m.masks[i], t, pairs.count);
      own.add(hot::partial_p + i, b * kappa);
      k = k + p[i] * kappa;
    }
    own.add(hot::partial_a, b * k);
    for (std::int64_t h = 0; h < m.H; ++h) {
      // G_h = a·B·∂k/∂t_h.
      S pull = zero;
      for (std::int64_t i = 0; i < m.subsets; ++i)
        if (m.masks[i] >> h & 1u)
          pull = pull + p[i] * product_of(m.masks[i] & ~(1u << h), t, pairs.count);
      pull = point.a[0] * b * pull;
      const Seen<S> window = seen_in_window(m, v, sigma, j, h),
                    query = seen_in_query(m, v, sigma, pairs.group[j], h);
      const S height = t[h * pairs.count], window_norm = m.l2 ? window.norm() : zero,
              query_norm = m.l2 ? query.norm() : zero;
      // Sums of lags that do not exist have no meaning; ModelTables::gradient() multiplies them by
      // σ = 0 or skips them.
      const std::int64_t of_window = hot::partial_p + m.subsets + (window.weight - sigma),
                         of_query = hot::partial_p + m.subsets + (query.weight - sigma);
      for (std::int64_t i = 0; i < m.M; ++i) {
        own.add(of_window + i, pull * slope(window, query, i, height, window_norm, query_norm));
        own.add(of_query + i, pull * slope(query, window, i, height, query_norm, window_norm));
      }
    }
  }
};

/// Block: one number, summed over the blocks of PairBackward; the loss and its derivative over
/// those of the stages over chains, which have an array of their own.
template <class S>
struct SumBlocks {
  std::int64_t size, half, blocks, loss_blocks;
  const double* sums;  ///< [blocks, size]
  const S* loss;       ///< [loss_blocks]
  double* out;         ///< [size]

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t i) const {
    const bool is_loss = i % half == hot::partial_loss;
    const double* from = is_loss ? reinterpret_cast<const double*>(loss) + i / half : sums + i;
    const std::int64_t count = is_loss ? loss_blocks : blocks,
                       stride = is_loss ? sizeof(S) / sizeof(double) : size;
    double sum = 0.0;
    for (std::int64_t b = team.index(); b < count; b += team.size()) sum += from[b * stride];
    sum = team.sum(sum);
    if (team.index() == 0) out[i] = sum;
  }
};

}  // namespace gihflow::GIHFLOW_ISA
