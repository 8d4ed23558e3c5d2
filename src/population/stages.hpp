#pragma once

// One loss and gradient on sufficient statistics, formulas (4.1)–(4.5), in stages for many threads:
// features of the window pairs, readout and loss of the chains, the way back to the pairs, and from
// pairs to sums. A stage is a functor, called once for each of its items, or once for each of its
// blocks by a team: the threads of a CUDA block, or on the host one thread alone. Nothing depends
// on the order of items.
//
// A team has index() in [0, size()), warp() in [0, warps()), lane() in [0, lanes()), sync(), and,
// called by all its threads (of a warp), sum() over the team, warp_sum(); memory() is the team's
// own, as many bytes as the launch asks for.

#include "population/formulas.hpp"
#include "population/scalar.hpp"
#include "population/views.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::Segment;
using hot::StatisticsView;

/// The model point as the stages read it: a, p [subsets], σ [patterns, H, M], one after the other,
/// and the shift of a·k that does for all chains.
template <class S>
struct PointOnCard {
  const S* a;
  GIHFLOW_HD const S* p() const { return a + 1; }
  GIHFLOW_HD const S* sigma(const ModelView& m) const { return a + 1 + m.subsets; }
  GIHFLOW_HD double shift(const ModelView& m) const {
    return value(sigma(m)[m.patterns * m.H * m.M]);
  }
};

/// What is kept of the window pairs, [pairs] each.
template <class S>
struct PairsOnCard {
  const std::uint32_t* group;       ///< the group that a pair belongs to
  const std::int64_t* slot;         ///< first of the partial sums of Σ n·g that belong to a pair
  const std::int32_t* slot_count;   ///< how many there are
  const std::int32_t* slot_stride;  ///< and how far apart
  std::int64_t count;
  S *t, *x, *e;  ///< t_h [H, pairs], a·k, and E(Z,q)
  S* partial;    ///< the partial sums [slots]
};

/// The tokens at the lags that a head sees, and its attention to them.
template <class S>
struct Seen {
  const std::uint16_t* token;
  std::int64_t stride;
  const S* weight;
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

template <class S>
GIHFLOW_HD Seen<S> seen_in_window(const ModelView& m, const StatisticsView& v, const S* sigma,
                                  std::int64_t pair, std::int64_t h, std::int64_t pattern) {
  return {v.pair_digits + (pair / hot::pack * m.W + m.first_lag[h]) * hot::pack + pair % hot::pack,
          hot::pack, sigma + (pattern * m.H + h) * m.M, static_cast<int>(m.M)};
}
template <class S>
GIHFLOW_HD Seen<S> seen_in_query(const ModelView& m, const StatisticsView& v, const S* sigma,
                                 std::int64_t group, std::int64_t h, std::int64_t pattern) {
  return {v.query_digits + group * m.W + m.first_lag[h], 1, sigma + (pattern * m.H + h) * m.M,
          static_cast<int>(m.M)};
}
GIHFLOW_HD inline std::int64_t window_pattern(const ModelView& m, const StatisticsView& v,
                                              std::int64_t pair) {
  return m.patterns > 1 ? v.pair_existing[pair] : 0;
}
GIHFLOW_HD inline std::int64_t query_pattern(const ModelView& m, const StatisticsView& v,
                                             std::int64_t group) {
  return m.patterns > 1 ? v.query_existing[group] : 0;
}

GIHFLOW_HD inline int lowest_bit(std::uint32_t mask) {
#ifdef __CUDA_ARCH__
  return __ffs(static_cast<int>(mask)) - 1;
#else
  return __builtin_ctz(mask);
#endif
}

/// κ_S = Π_{h∈S} t_h, with t_h at t[h·stride].
template <class S>
GIHFLOW_HD S product_of(std::uint32_t mask, const S* t, std::int64_t stride) {
  S product;
  set(product, 1.0);
  for (; mask != 0; mask &= mask - 1) product = product * t[lowest_bit(mask) * stride];
  return product;
}

/// k(Z,q) = Σ_S p_S κ_S, (2.2).
template <class S>
GIHFLOW_HD S kernel_of(const ModelView& m, const S* p, const S* t, std::int64_t stride) {
  S k;
  set(k, 0.0);
  for (std::int64_t i = 0; i < m.subsets; ++i) k = k + p[i] * product_of(m.masks[i], t, stride);
  return k;
}

/// A pair of a window and its group's query, as head h sees them.
template <class S>
struct PairSides {
  const ModelView& m;
  const StatisticsView& v;
  const S* sigma;
  std::int64_t pair, group, window_at, query_at;  // and the patterns of both

  GIHFLOW_HD PairSides(const ModelView& model, const StatisticsView& view,
                       const PairsOnCard<S>& all, const PointOnCard<S>& point, std::int64_t j)
      : m(model),
        v(view),
        sigma(point.sigma(model)),
        pair(j),
        group(all.group[j]),
        window_at(window_pattern(model, view, j)),
        query_at(query_pattern(model, view, group)) {}

  GIHFLOW_HD Seen<S> window(std::int64_t h) const {
    return seen_in_window(m, v, sigma, pair, h, window_at);
  }
  GIHFLOW_HD Seen<S> query(std::int64_t h) const {
    return seen_in_query(m, v, sigma, group, h, query_at);
  }
};

/// Item: a pair. t_h, a·k and E = e^{a·k − shift}.
template <class S>
struct PairForward {
  ModelView m;
  StatisticsView v;
  PointOnCard<S> point;
  PairsOnCard<S> pairs;

  GIHFLOW_HD void operator()(std::int64_t j) const {
    const PairSides<S> sides(m, v, pairs, point, j);
    S* t = pairs.t + j;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const Seen<S> window = sides.window(h), query = sides.query(h);
      S height = window.product(query);
      if (m.l2) height = height / (query.norm() + norm_guard) / (window.norm() + norm_guard);
      t[h * pairs.count] = height;
    }
    const S x = point.a[0] * kernel_of(m, point.p(), t, pairs.count);
    pairs.x[j] = x;
    pairs.e[j] = exponential(x - point.shift(m));
  }
};

/// Block: `per_block` pairs. From Σ n·g to ΣB·k, ΣB·κ_S and ∂𝓛/∂σ, (4.3)–(4.5).
template <class S>
struct PairBackward {
  ModelView m;
  StatisticsView v;
  PointOnCard<S> point;
  PairsOnCard<S> pairs;
  std::int64_t per_block, size, half;  ///< `size` numbers, from `half` on the derivatives
  double* out;                         ///< [blocks, size]
  bool weighted;

  GIHFLOW_HD static std::int64_t memory(std::int64_t size, std::int64_t threads) {
    return size * threads * static_cast<std::int64_t>(sizeof(double));
  }

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    double* rows = static_cast<double*>(team.memory());
    Column own{rows + team.index(), team.size(), half};  // every thread sums on its own
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
  struct Column {
    double* number;
    std::int64_t stride, half;

    GIHFLOW_HD void add(std::int64_t i, double x) { number[i * stride] += x; }
    GIHFLOW_HD void add(std::int64_t i, const Dual<double>& x) {
      add(i, x.v);
      add(half + i, x.d);
    }
  };

  /// B(Z,q) of a pair, its partial sums in their order.
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

  /// ∂t_h/∂σ_i of one side, the other kept: with l2 (v'(x_i) − v(x_i) t/‖v‖) / (‖v‖ + 1e-7) with v'
  /// normed.
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

  GIHFLOW_HD void add_pair(Column& own, std::int64_t j) const {
    const PairSides<S> sides(m, v, pairs, point, j);
    const S b = weight_of(j);
    const S* t = pairs.t + j;
    const S* p = point.p();
    S k, zero;
    set(k, 0.0);
    set(zero, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      const S kappa = product_of(m.masks[i], t, pairs.count);
      own.add(hot::partial_p + i, b * kappa);
      k = k + p[i] * kappa;
    }
    own.add(hot::partial_a, b * k);
    const std::int64_t first = hot::partial_p + m.subsets;
    for (std::int64_t h = 0; h < m.H; ++h) {
      // G_h = a·B·∂k/∂t_h.
      S pull = zero;
      for (std::int64_t i = 0; i < m.subsets; ++i)
        if (m.masks[i] >> h & 1u)
          pull = pull + p[i] * product_of(m.masks[i] & ~(1u << h), t, pairs.count);
      pull = point.a[0] * b * pull;
      const Seen<S> window = sides.window(h), query = sides.query(h);
      S window_norm = zero, query_norm = zero;
      if (m.l2) {
        window_norm = window.norm();
        query_norm = query.norm();
      }
      const S height = t[h * pairs.count];
      for (std::int64_t i = 0; i < m.M; ++i) {
        // Lags that do not exist collect a number here which their σ = 0 removes in the end.
        own.add(first + (sides.window_at * m.H + h) * m.M + i,
                pull * slope(window, query, i, height, window_norm, query_norm));
        own.add(first + (sides.query_at * m.H + h) * m.M + i,
                pull * slope(query, window, i, height, query_norm, window_norm));
      }
    }
  }
};

/// Block: one of the numbers. Sums over blocks; the loss stands apart.
template <class S>
struct SumBlocks {
  std::int64_t size, half, blocks, loss_blocks;
  const double* sums;  ///< [blocks, size]
  const S* loss;       ///< [loss_blocks]
  double* out;         ///< [size]

  GIHFLOW_HD static double part(double x, bool) { return x; }
  GIHFLOW_HD static double part(const Dual<double>& x, bool derivative) {
    return derivative ? x.d : x.v;
  }

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t i) const {
    double sum = 0.0;
    if (i == hot::partial_loss || i == half + hot::partial_loss) {
      for (std::int64_t b = team.index(); b < loss_blocks; b += team.size())
        sum += part(loss[b], i != hot::partial_loss);
    } else {
      for (std::int64_t b = team.index(); b < blocks; b += team.size()) sum += sums[b * size + i];
    }
    sum = team.sum(sum);
    if (team.index() == 0) out[i] = sum;
  }
};

}  // namespace gihflow::GIHFLOW_ISA
