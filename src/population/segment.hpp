#pragma once

// Loss and gradient of the chains that share a query window, formulas (4.1)–(4.5), as one pass:
// features of the window pairs, forward over the tiles of counts, backward over the same tiles,
// backward through the pairs. Templated on the number types, so that the same lines serve one chain
// or eight at a time, values or dual numbers.

#include "population/formulas.hpp"
#include "population/workspace.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::BlockTask;
using hot::ModelView;
using hot::Segment;
using hot::StatisticsView;

/// Reads x[i] with its tangent where the number type has one.
inline void fetch(double& y, const double* x, const double*, std::int64_t i) {
  y = x[i];
}
inline void fetch(Dual<double>& y, const double* x, const double* along, std::int64_t i) {
  y = {x[i], along[i]};
}

/// v^{(h)} of the query, and u = v or, with l2, v/(‖v‖ + 1e-7).
template <class N>
void query_features(const ModelView& m, Workspace<N>& s, const std::uint16_t* digits,
                    std::int32_t pattern) {
  using S = typename N::S;
  std::int64_t width = m.d + 1;
  for (std::int64_t i = 0; i < m.H * width; ++i) {
    set(s.v[i], 0.0);
    set(s.u_bar[i], 0.0);
  }
  for (std::int64_t h = 0; h < m.H; ++h) {
    const S* sigma = s.sigma + (pattern * m.H + h) * m.M;
    const std::uint16_t* seen = digits + m.first_lag[h];
    S* v = s.v + h * width;
    for (std::int64_t i = 0; i < m.M; ++i)
      if (seen[i] < m.d) v[seen[i]] = v[seen[i]] + sigma[i];
    S* u = s.u + h * width;
    if (m.l2) {
      S squares;
      set(squares, 0.0);
      for (std::int64_t e = 0; e < m.d; ++e) squares = squares + v[e] * v[e];
      s.norm[h] = square_root(squares);
      s.scale[h] = s.norm[h] + norm_guard;
      for (std::int64_t e = 0; e < m.d; ++e) u[e] = v[e] / s.scale[h];
    } else {
      for (std::int64_t e = 0; e < m.d; ++e) u[e] = v[e];
    }
    set(u[m.d], 0.0);
  }
}

/// What head h sees of eight windows: the tokens [M, 8] at its lags, and its attention to them,
/// each window's own where some are partial (4.4).
template <class N>
const std::uint16_t* attend(const ModelView& m, const StatisticsView& v, Workspace<N>& s,
                            std::int64_t first, std::int64_t h) {
  const typename N::S* sigma = s.sigma + h * m.M;
  for (std::int64_t i = 0; i < m.M; ++i) {
    if (m.patterns > 1)
      gather(s.weight[i], sigma + i, v.pair_existing + first, m.H * m.M);
    else
      spread(s.weight[i], sigma[i]);
  }
  return v.pair_digits + first * m.W + m.first_lag[h] * hot::pack;
}

/// v_Z at the tokens of its own lags, Σ_j σ_j 1(Z_j = Z_i).
template <class N>
void own_features(const ModelView& m, Workspace<N>& s, const std::uint16_t* seen) {
  for (std::int64_t i = 0; i < m.M; ++i) {
    s.own[i] = s.weight[i];
    for (std::int64_t j = 0; j < m.M; ++j)
      if (j != i)
        s.own[i] = s.own[i] + where_equal(seen + i * hot::pack, seen + j * hot::pack, s.weight[j]);
  }
}

/// t_h(Z,q), k(Z,q) and a·k(Z,q) of every pair of the group; returns max and min of a·k.
template <class N>
void pair_features(const ModelView& m, const StatisticsView& v, Workspace<N>& s, std::int64_t first,
                   std::int64_t pairs, const typename N::S& a, double& top, double& bottom) {
  using V = typename N::V;
  const std::int64_t width = m.d + 1;
  V scale, p, seen_value;
  spread(scale, a);
  for (std::int64_t j = 0; j < pairs; j += hot::pack) {
    V* t = s.t + j / hot::pack * m.H;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const std::uint16_t* seen = attend(m, v, s, first + j, h);
      const typename N::S* u = s.u + h * width;
      V sum;
      set(sum, 0.0);
      for (std::int64_t i = 0; i < m.M; ++i) {
        gather(seen_value, u, seen + i * hot::pack);
        sum = sum + s.weight[i] * seen_value;
      }
      if (m.l2) {
        own_features(m, s, seen);
        V squares;
        set(squares, 0.0);
        for (std::int64_t i = 0; i < m.M; ++i) squares = squares + s.weight[i] * s.own[i];
        V norm = square_root(squares);
        s.pair_norm[j / hot::pack * m.H + h] = norm;
        sum = sum / (norm + norm_guard);
      }
      t[h] = sum;
    }
    products(m, t, s.kappa);
    V k;
    set(k, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      spread(p, s.p[i]);
      k = k + p * s.kappa[i];
    }
    s.k[j / hot::pack] = k;
    store_lanes(scale * k, s.x + j);
  }
  top = -__builtin_huge_val();
  bottom = __builtin_huge_val();
  for (std::int64_t j = 0; j < pairs; ++j) {
    double height = value(s.x[j]);
    if (!(height <= top)) top = height;  // NaN comes through
    if (height < bottom) bottom = height;
  }
}

inline void exponentials(const double* x, double shift, double* e, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) e[j] = exp(x[j] - shift);
}
inline void exponentials(const Dual<double>* x, double shift, Dual<double>* e, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) e[j].v = exp(x[j].v - shift);
  for (std::int64_t j = 0; j < n; ++j) e[j].d = e[j].v * x[j].d;
}

/// Σ n·E over the entries [i, end) of one token, per lane.
template <class N, class Count>
[[gnu::always_inline]] inline typename N::L weighted_counts(const Count* counts,
                                                            const std::uint32_t* pair,
                                                            const typename N::S* e, std::int64_t i,
                                                            std::int64_t end) {
  // Two sums in flight hide the latency of the addition.
  typename N::L even, odd;
  typename N::C n;
  set(even, 0.0);
  set(odd, 0.0);
  for (; i + 1 < end; i += 2) {
    load_counts(n, counts + i * N::lanes);
    even = even + n * e[pair[i]];
    load_counts(n, counts + (i + 1) * N::lanes);
    odd = odd + n * e[pair[i + 1]];
  }
  if (i < end) {
    load_counts(n, counts + i * N::lanes);
    even = even + n * e[pair[i]];
  }
  return even + odd;
}

/// Forward and backward over the tiles of a segment; leaves Σ n(Z,e) g(e) per lane in s.b. Each
/// stage runs over several tiles, so that the divisions and logarithms of one do not wait for
/// another's.
template <class N, class Count>
void tiles(const ModelView& m, const StatisticsView& v, Workspace<N>& s, const Segment& segment,
           const double* targets_override, bool with_loss) {
  using L = typename N::L;
  using C = typename N::C;
  constexpr int lanes = N::lanes;
  const Count* counts = static_cast<const Count*>(v.entry_count);
  const std::int64_t at_once = tiles_at_once(m);
  for (std::int64_t first = segment.tile_begin; first < segment.tile_end; first += at_once) {
    const std::int64_t end =
        first + at_once < segment.tile_end ? first + at_once : segment.tile_end;
    L one;
    set(one, 1.0);
    for (std::int64_t tile = first; tile < end; ++tile) {
      const std::int64_t* begin = v.tile_entries + tile * m.d;
      L* y = s.y + (tile - first) * m.d;
      L den;
      set(den, 0.0);
      for (std::int64_t e = 0; e < m.d; ++e) {
        y[e] = weighted_counts<N>(counts, v.entry_pair, s.e, begin[e], begin[e + 1]);
        den = den + y[e];
      }
      s.den[tile - first] = den;
    }
    for (std::int64_t tile = first; tile < end; ++tile) {
      L* y = s.y + (tile - first) * m.d;
      const L den = s.den[tile - first], share = one / den;
      for (std::int64_t e = 0; e < m.d; ++e) y[e] = y[e] * share;
      const double* targets = targets_override ? targets_override : v.targets + tile * m.d * lanes;
      *s.loss = *s.loss +
                loss_of_tile<N>(m, y, s.g + (tile - first) * m.d, den, targets, lanes, with_loss);
    }
    for (std::int64_t tile = first; tile < end; ++tile) {
      const std::int64_t* begin = v.tile_entries + tile * m.d;
      for (std::int64_t e = 0; e < m.d; ++e) {
        const L g = s.g[(tile - first) * m.d + e];
        C n;
        for (std::int64_t i = begin[e]; i < begin[e + 1]; ++i) {
          load_counts(n, counts + i * lanes);
          L& b = s.b[v.entry_pair[i]];
          b = b + n * g;
        }
      }
    }
  }
}

/// The same where a·k spreads so widely that every chain needs its own shift; leaves
/// Σ n(Z,e) E(Z,q) g(e) in s.b.
template <class N, class Count>
void tiles_shifted(const ModelView& m, const StatisticsView& v, Workspace<N>& s,
                   const Segment& segment, const double* targets_override, bool with_loss) {
  using L = typename N::L;
  using C = typename N::C;
  constexpr int lanes = N::lanes;
  const Count* counts = static_cast<const Count*>(v.entry_count);
  C lowest;
  set(lowest, -__builtin_huge_val());
  for (std::int64_t tile = segment.tile_begin; tile < segment.tile_end; ++tile) {
    const std::int64_t* begin = v.tile_entries + tile * m.d;
    C n, top = lowest;
    for (std::int64_t i = begin[0]; i < begin[m.d]; ++i) {
      load_counts(n, counts + i * lanes);
      C height;
      set(height, value(s.x[v.entry_pair[i]]));
      top = maximum(top, where_positive(n, height, lowest));
    }
    // n(Z,e) E(Z,q) of entry i, 0 where the lane's chain lacks it.
    auto weight = [&](std::int64_t i) {
      L height, zero;
      set(zero, 0.0);
      spread(height, s.x[v.entry_pair[i]]);
      load_counts(n, counts + i * lanes);
      return n * where_positive(n, exponential(minus(height, top)), zero);
    };
    L den;
    set(den, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      L sum;
      set(sum, 0.0);
      for (std::int64_t i = begin[e]; i < begin[e + 1]; ++i) sum = sum + weight(i);
      s.y[e] = sum;
      den = den + sum;
    }
    for (std::int64_t e = 0; e < m.d; ++e) s.y[e] = s.y[e] / den;
    const double* targets = targets_override ? targets_override : v.targets + tile * m.d * lanes;
    *s.loss = *s.loss + loss_of_tile<N>(m, s.y, s.g, den, targets, lanes, with_loss);
    for (std::int64_t e = 0; e < m.d; ++e)
      for (std::int64_t i = begin[e]; i < begin[e + 1]; ++i) {
        L& b = s.b[v.entry_pair[i]];
        b = b + weight(i) * s.g[e];
      }
  }
}

/// From B(Z,q) to ΣB·k, ΣB·κ_S and the sums over windows of ∂𝓛/∂σ, formulas (4.3)–(4.5).
template <class N>
void pairs_backward(const ModelView& m, const StatisticsView& v, Workspace<N>& s,
                    std::int64_t first, std::int64_t pairs, const typename N::S& a, bool weighted) {
  using S = typename N::S;
  using V = typename N::V;
  const std::int64_t width = m.d + 1;
  V scale, p, seen_value, zero;
  spread(scale, a);
  set(zero, 0.0);
  for (std::int64_t j = 0; j < pairs; j += hot::pack) {
    S sums[hot::pack];
    for (std::int64_t l = 0; l < hot::pack; ++l) {
      sums[l] = sum_lanes(s.b[j + l]);
      if (!weighted) sums[l] = sums[l] * s.e[j + l];
    }
    V b;
    load_lanes(b, sums);
    const V* t = s.t + j / hot::pack * m.H;
    products(m, t, s.kappa);
    // kappa_bar = ∂(ΣB·k)/∂κ_S.
    *s.a_sum = *s.a_sum + b * s.k[j / hot::pack];
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      spread(p, s.p[i]);
      s.p_sum[i] = s.p_sum[i] + b * s.kappa[i];
      s.kappa_bar[i] = b * p;
    }
    products_backward(m, t, s.kappa, s.kappa_bar, s.t_bar);
    for (std::int64_t h = 0; h < m.H; ++h) {
      const std::uint16_t* seen = attend(m, v, s, first + j, h);
      const S* u = s.u + h * width;
      V* u_bar = s.u_bar + h * width;
      V g = scale * s.t_bar[h], pull;  // G_h(Z,q)
      if (m.l2) {
        // Where a window is empty, v = 0 and nothing flows back.
        const V& norm = s.pair_norm[j / hot::pack * m.H + h];
        g = where_positive(value(norm), g / (norm + norm_guard), zero);
        pull = where_positive(value(norm), t[h] / norm, zero);
        own_features(m, s, seen);
      }
      for (std::int64_t i = 0; i < m.M; ++i) {
        const std::uint16_t* token = seen + i * hot::pack;
        gather(seen_value, u, token);
        if (m.l2) seen_value = seen_value - pull * s.own[i];
        // Lags that do not exist collect a number here which their σ = 0 removes in the end.
        if (m.patterns > 1)
          scatter_add(g * seen_value, s.sigma_sum + h * m.M + i, v.pair_existing + first + j,
                      m.H * m.M);
        else
          s.pattern_sum[h * m.M + i] = s.pattern_sum[h * m.M + i] + g * seen_value;
        scatter_add_lanes(g * s.weight[i], u_bar, token);
      }
    }
  }
}

/// The query's own share of ∂𝓛/∂σ, from ∂𝓛/∂u summed over its partners.
template <class N>
void query_backward(const ModelView& m, Workspace<N>& s, const std::uint16_t* digits,
                    std::int32_t pattern) {
  using S = typename N::S;
  std::int64_t width = m.d + 1;
  for (std::int64_t h = 0; h < m.H; ++h) {
    S* bar = s.u + h * width;  // no longer needed
    for (std::int64_t e = 0; e < m.d; ++e) bar[e] = sum_lanes(s.u_bar[h * width + e]);
    const S* v = s.v + h * width;
    if (m.l2) {
      if (!(value(s.norm[h]) > 0.0)) continue;
      S inner;
      set(inner, 0.0);
      for (std::int64_t e = 0; e < m.d; ++e) inner = inner + v[e] * bar[e];
      S pull = inner / (s.norm[h] * s.scale[h]);
      for (std::int64_t e = 0; e < m.d; ++e) bar[e] = (bar[e] - v[e] * pull) / s.scale[h];
    }
    const std::uint16_t* seen = digits + m.first_lag[h];
    S* sigma_sum = s.sigma_sum + (pattern * m.H + h) * m.M;
    for (std::int64_t i = 0; i < m.M; ++i)
      if (seen[i] < m.d) sigma_sum[i] = sigma_sum[i] + bar[seen[i]];
  }
}

inline void store(const double& x, double* to, std::int64_t, std::int64_t i) {
  to[i] = x;
}
inline void store(const Dual<double>& x, double* to, std::int64_t size, std::int64_t i) {
  to[i] = x.v;
  to[size + i] = x.d;
}

/// One block: all its segments, sums into task.partial.
template <class N, class Count>
void run_block(const BlockTask& task) {
  using S = typename N::S;
  const ModelView& m = *task.model;
  const StatisticsView& v = *task.statistics;
  std::int64_t most_pairs = 0;
  for (std::int64_t i = 0; i < task.segment_count; ++i) {
    std::int64_t g = task.segments[i].group;
    std::int64_t pairs = v.group_pairs[g + 1] - v.group_pairs[g];
    if (pairs > most_pairs) most_pairs = pairs;
  }
  Scratch scratch{task.scratch};
  Workspace<N> s = layout<N>(scratch, m, most_pairs);
  std::int64_t sigmas = m.patterns * m.H * m.M;
  S a;
  fetch(a, &task.point->a, &task.point->a_along, 0);
  for (std::int64_t i = 0; i < m.subsets; ++i) {
    fetch(s.p[i], task.point->p, task.point->p_along, i);
  }
  for (std::int64_t i = 0; i < sigmas; ++i) {
    fetch(s.sigma[i], task.point->sigma, task.point->sigma_along, i);
    set(s.sigma_sum[i], 0.0);
  }
  set(*s.loss, 0.0);
  set(*s.a_sum, 0.0);
  for (std::int64_t i = 0; i < m.subsets; ++i) set(s.p_sum[i], 0.0);
  for (std::int64_t i = 0; i < m.H * m.M; ++i) set(s.pattern_sum[i], 0.0);
  for (std::int64_t i = 0; i < task.segment_count; ++i) {
    const Segment& segment = task.segments[i];
    std::int64_t first = v.group_pairs[segment.group];
    std::int64_t pairs = v.group_pairs[segment.group + 1] - first;
    const std::uint16_t* query = v.query_digits + segment.group * m.W;
    std::int32_t pattern = m.patterns > 1 ? v.query_existing[segment.group] : 0;
    double top = 0.0, bottom = 0.0;
    query_features(m, s, query, pattern);
    pair_features(m, v, s, first, pairs, a, top, bottom);
    for (std::int64_t j = 0; j < pairs; ++j) set(s.b[j], 0.0);
    // Not finite: the unshifted path carries NaN through to the result.
    bool shifted = top - bottom > widest_spread && top - bottom < __builtin_huge_val();
    if (shifted) {
      tiles_shifted<N, Count>(m, v, s, segment, task.targets_override, task.with_loss);
    } else {
      exponentials(s.x, top, s.e, pairs);
      tiles<N, Count>(m, v, s, segment, task.targets_override, task.with_loss);
    }
    pairs_backward(m, v, s, first, pairs, a, shifted);
    query_backward(m, s, query, pattern);
  }
  for (std::int64_t i = 0; i < m.H * m.M; ++i)
    if (m.patterns == 1) s.sigma_sum[i] = s.sigma_sum[i] + sum_lanes(s.pattern_sum[i]);
  std::int64_t size = hot::partial_p + m.subsets + sigmas;
  store(*s.loss, task.partial, size, hot::partial_loss);
  store(sum_lanes(*s.a_sum), task.partial, size, hot::partial_a);
  for (std::int64_t i = 0; i < m.subsets; ++i)
    store(sum_lanes(s.p_sum[i]), task.partial, size, hot::partial_p + i);
  for (std::int64_t i = 0; i < sigmas; ++i)
    store(s.sigma_sum[i], task.partial, size, hot::partial_p + m.subsets + i);
}

}  // namespace gihflow::GIHFLOW_ISA
