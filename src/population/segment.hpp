#pragma once

// Loss and gradient of the chains that share a query window, formulas (4.1)–(4.5), as one pass:
// features of the window pairs, forward over the tiles of counts, backward over the same tiles,
// backward through the pairs. Templated on the number types, so that the same lines serve one chain
// or eight at a time, values or dual numbers.

#include "population/scalar.hpp"
#include "population/views.hpp"

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

template <class T>
T* take(double*& scratch, std::int64_t n) {
  // Every array starts on a cache line.
  T* array = reinterpret_cast<T*>(scratch);
  scratch += (n * static_cast<std::int64_t>(sizeof(T) / sizeof(double)) + 7) / 8 * 8;
  return array;
}

/// Above this spread of a·k over a group's pairs e^{a·k} would underflow for a chain without the
/// best window: each chain is then shifted by its own maximum.
inline constexpr double widest_spread = 600.0;

template <class N>
struct Workspace {
  using S = typename N::S;
  using L = typename N::L;
  S *p, *sigma;                         // the point: [subsets], [patterns, H, M]
  S *loss, *a_sum, *p_sum, *sigma_sum;  // what the block accumulates
  S *v, *u, *u_bar, *norm, *scale;      // query: [H, d+1] three times, [H] twice; last column 0
  S *t, *pair_norm;                     // pairs: t_h [pairs, H]; ‖v_Z‖ [pairs, H] with l2
  S *x, *e;                             // a·k shifted, E(Z,q) [pairs]
  L* b;                                 // A(Z,q) of each lane, or B in the wide case [pairs]
  S *kappa, *kappa_bar, *t_bar;         // [subsets] twice, [H]
  L *y, *g;                             // [d] twice
  S* window;                            // [d+1]
};

template <class N>
Workspace<N> layout(double* scratch, const ModelView& m, std::int64_t pairs) {
  using S = typename N::S;
  using L = typename N::L;
  Workspace<N> s;
  std::int64_t sigmas = m.patterns * m.H * m.M;
  s.p = take<S>(scratch, m.subsets);
  s.sigma = take<S>(scratch, sigmas);
  s.loss = take<S>(scratch, 1);
  s.a_sum = take<S>(scratch, 1);
  s.p_sum = take<S>(scratch, m.subsets);
  s.sigma_sum = take<S>(scratch, sigmas);
  s.v = take<S>(scratch, m.H * (m.d + 1));
  s.u = take<S>(scratch, m.H * (m.d + 1));
  s.u_bar = take<S>(scratch, m.H * (m.d + 1));
  s.norm = take<S>(scratch, m.H);
  s.scale = take<S>(scratch, m.H);
  s.t = take<S>(scratch, pairs * m.H);
  s.pair_norm = take<S>(scratch, m.l2 ? pairs * m.H : 0);
  s.x = take<S>(scratch, pairs);
  s.e = take<S>(scratch, pairs);
  s.b = take<L>(scratch, pairs);
  s.kappa = take<S>(scratch, m.subsets);
  s.kappa_bar = take<S>(scratch, m.subsets);
  s.t_bar = take<S>(scratch, m.H);
  s.y = take<L>(scratch, m.d);
  s.g = take<L>(scratch, m.d);
  s.window = take<S>(scratch, m.d + 1);
  return s;
}

inline constexpr double norm_guard = 1e-7;  // of (4.5)

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

/// ‖v_Z‖ of head h, by way of the window's own feature vector.
template <class N>
typename N::S window_norm(const ModelView& m, Workspace<N>& s, const typename N::S* sigma,
                          const std::uint16_t* seen) {
  typename N::S squares;
  set(squares, 0.0);
  for (std::int64_t i = 0; i < m.M; ++i) set(s.window[seen[i]], 0.0);
  for (std::int64_t i = 0; i < m.M; ++i) s.window[seen[i]] = s.window[seen[i]] + sigma[i];
  set(s.window[m.d], 0.0);
  for (std::int64_t i = 0; i < m.M; ++i) squares = squares + sigma[i] * s.window[seen[i]];
  return square_root(squares);
}

/// κ_S = Π_{h∈S} t_h for all S, each from the subset without its last head.
template <class S>
void products(const ModelView& m, const S* t, S* kappa) {
  set(kappa[0], 1.0);
  for (std::int64_t i = 1; i < m.subsets; ++i) kappa[i] = kappa[m.parent[i]] * t[m.last[i]];
}

/// t_h(Z,q) and a·k(Z,q) of every pair of the group; returns max and min of a·k.
template <class N>
void pair_features(const ModelView& m, const StatisticsView& v, Workspace<N>& s, std::int64_t first,
                   std::int64_t pairs, const typename N::S& a, double& top, double& bottom) {
  using S = typename N::S;
  std::int64_t width = m.d + 1;
  top = -__builtin_huge_val();
  bottom = __builtin_huge_val();
  for (std::int64_t j = 0; j < pairs; ++j) {
    const std::uint16_t* digits = v.pair_digits + (first + j) * m.W;
    std::int64_t pattern = m.patterns > 1 ? v.pair_existing[first + j] : 0;
    S* t = s.t + j * m.H;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const S* sigma = s.sigma + (pattern * m.H + h) * m.M;
      const std::uint16_t* seen = digits + m.first_lag[h];
      const S* u = s.u + h * width;
      S sum = sigma[0] * u[seen[0]];
      for (std::int64_t i = 1; i < m.M; ++i) sum = sum + sigma[i] * u[seen[i]];
      if (m.l2) {
        S norm = window_norm(m, s, sigma, seen);
        s.pair_norm[j * m.H + h] = norm;
        sum = sum / (norm + norm_guard);
      }
      t[h] = sum;
    }
    products(m, t, s.kappa);
    S k = s.p[0] * s.kappa[0];
    for (std::int64_t i = 1; i < m.subsets; ++i) k = k + s.p[i] * s.kappa[i];
    s.x[j] = a * k;
    double height = value(s.x[j]);
    if (height > top) top = height;
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

/// ℓ and r(e) = ∂ℓ/∂y(e) of a tile from y [d], then g(e) = (r(e) − r̄)/den, formula (4.2).
template <class N>
void loss_of_tile(const ModelView& m, Workspace<N>& s, const typename N::L& den,
                  const double* targets, bool with_loss) {
  using L = typename N::L;
  using C = typename N::C;
  L loss, mean, zero;
  set(loss, 0.0);
  set(mean, 0.0);
  set(zero, 0.0);
  C target;
  if (m.softmax) {
    L total;
    C mass;
    set(total, 0.0);
    set(mass, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      s.g[e] = exponential(s.y[e]);  // 0 ≤ y ≤ 1: no shift needed
      total = total + s.g[e];
      load(target, targets + e * N::lanes);
      mass = mass + target;
    }
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * N::lanes);
      if (with_loss) loss = loss + target * (logarithm(total) - s.y[e]);
      L r = minus(mass * (s.g[e] / total), target);
      s.g[e] = r;
      mean = mean + r * s.y[e];
    }
  } else {
    double scale = 1.0 / (1.0 + static_cast<double>(m.d) * m.epsilon);
    for (std::int64_t e = 0; e < m.d; ++e) {
      load(target, targets + e * N::lanes);
      L smoothed = s.y[e] + m.epsilon;
      // With ε = 0 a label that the context lacks costs ∞, but y(e) is 0 whatever the parameters
      // are and contributes nothing to the gradient.
      L r = where_positive(value(smoothed), zero - quotient(target, smoothed), zero);
      if (with_loss)
        loss = loss - where_positive(target, target * logarithm(smoothed * scale), zero);
      s.g[e] = r;
      mean = mean + r * s.y[e];
    }
  }
  for (std::int64_t e = 0; e < m.d; ++e) s.g[e] = (s.g[e] - mean) / den;
  if (with_loss) *s.loss = *s.loss + sum_lanes(loss);
}

/// Forward and backward over the tiles of a segment; leaves Σ n(Z,e) g(e) per lane in s.b.
template <class N, class Count>
void tiles(const ModelView& m, const StatisticsView& v, Workspace<N>& s, const Segment& segment,
           const double* targets_override, bool with_loss) {
  using L = typename N::L;
  using C = typename N::C;
  constexpr int lanes = N::lanes;
  const Count* counts = static_cast<const Count*>(v.entry_count);
  for (std::int64_t tile = segment.tile_begin; tile < segment.tile_end; ++tile) {
    const std::int64_t* begin = v.tile_entries + tile * m.d;
    L den;
    set(den, 0.0);
    for (std::int64_t e = 0; e < m.d; ++e) {
      // Two sums in flight hide the latency of the addition.
      L even, odd;
      C n;
      set(even, 0.0);
      set(odd, 0.0);
      std::int64_t i = begin[e], end = begin[e + 1];
      for (; i + 1 < end; i += 2) {
        load_counts(n, counts + i * lanes);
        even = even + n * s.e[v.entry_pair[i]];
        load_counts(n, counts + (i + 1) * lanes);
        odd = odd + n * s.e[v.entry_pair[i + 1]];
      }
      if (i < end) {
        load_counts(n, counts + i * lanes);
        even = even + n * s.e[v.entry_pair[i]];
      }
      s.y[e] = even + odd;
      den = den + s.y[e];
    }
    for (std::int64_t e = 0; e < m.d; ++e) s.y[e] = s.y[e] / den;
    const double* targets = targets_override ? targets_override : v.targets + tile * m.d * lanes;
    loss_of_tile(m, s, den, targets, with_loss);
    for (std::int64_t e = 0; e < m.d; ++e) {
      L g = s.g[e];
      C n;
      for (std::int64_t i = begin[e]; i < begin[e + 1]; ++i) {
        load_counts(n, counts + i * lanes);
        L& b = s.b[v.entry_pair[i]];
        b = b + n * g;
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
    loss_of_tile(m, s, den, targets, with_loss);
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
  std::int64_t width = m.d + 1;
  for (std::int64_t j = 0; j < pairs; ++j) {
    S b = sum_lanes(s.b[j]);
    if (!weighted) b = b * s.e[j];
    const S* t = s.t + j * m.H;
    products(m, t, s.kappa);
    // Reverse sweep through the products: kappa_bar = ∂(ΣB·k)/∂κ_S.
    for (std::int64_t h = 0; h < m.H; ++h) set(s.t_bar[h], 0.0);
    S k;
    set(k, 0.0);
    for (std::int64_t i = 0; i < m.subsets; ++i) {
      k = k + s.p[i] * s.kappa[i];
      s.p_sum[i] = s.p_sum[i] + b * s.kappa[i];
      s.kappa_bar[i] = b * s.p[i];
    }
    *s.a_sum = *s.a_sum + b * k;
    for (std::int64_t i = m.subsets - 1; i > 0; --i) {
      std::int64_t parent = m.parent[i], h = m.last[i];
      s.t_bar[h] = s.t_bar[h] + s.kappa_bar[i] * s.kappa[parent];
      s.kappa_bar[parent] = s.kappa_bar[parent] + s.kappa_bar[i] * t[h];
    }
    const std::uint16_t* digits = v.pair_digits + (first + j) * m.W;
    std::int64_t pattern = m.patterns > 1 ? v.pair_existing[first + j] : 0;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const S* sigma = s.sigma + (pattern * m.H + h) * m.M;
      const std::uint16_t* seen = digits + m.first_lag[h];
      const S* u = s.u + h * width;
      S* u_bar = s.u_bar + h * width;
      S* sigma_sum = s.sigma_sum + (pattern * m.H + h) * m.M;
      S g = a * s.t_bar[h];  // G_h(Z,q)
      if (!m.l2) {
        for (std::int64_t i = 0; i < m.M; ++i) {
          sigma_sum[i] = sigma_sum[i] + g * u[seen[i]];
          u_bar[seen[i]] = u_bar[seen[i]] + g * sigma[i];
        }
        continue;
      }
      const S& norm = s.pair_norm[j * m.H + h];
      if (!(value(norm) > 0.0)) continue;
      S scale = norm + norm_guard;
      g = g / scale;
      S pull = t[h] / norm;
      for (std::int64_t i = 0; i < m.M; ++i) set(s.window[seen[i]], 0.0);
      for (std::int64_t i = 0; i < m.M; ++i) s.window[seen[i]] = s.window[seen[i]] + sigma[i];
      for (std::int64_t i = 0; i < m.M; ++i) {
        if (seen[i] >= m.d) continue;
        sigma_sum[i] = sigma_sum[i] + g * (u[seen[i]] - pull * s.window[seen[i]]);
        u_bar[seen[i]] = u_bar[seen[i]] + g * sigma[i];
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
    S* bar = s.u_bar + h * width;
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
  Workspace<N> s = layout<N>(task.scratch, m, most_pairs);
  std::int64_t sigmas = m.patterns * m.H * m.M;
  S a;
  fetch(a, &task.point->a, &task.point->a_along, 0);
  for (std::int64_t i = 0; i < m.subsets; ++i) {
    fetch(s.p[i], task.point->p, task.point->p_along, i);
    set(s.p_sum[i], 0.0);
  }
  for (std::int64_t i = 0; i < sigmas; ++i) {
    fetch(s.sigma[i], task.point->sigma, task.point->sigma_along, i);
    set(s.sigma_sum[i], 0.0);
  }
  set(*s.loss, 0.0);
  set(*s.a_sum, 0.0);
  for (std::int64_t i = 0; i < task.segment_count; ++i) {
    const Segment& segment = task.segments[i];
    std::int64_t first = v.group_pairs[segment.group];
    std::int64_t pairs = v.group_pairs[segment.group + 1] - first;
    const std::uint16_t* query = v.query_digits + segment.group * m.W;
    std::int32_t pattern = m.patterns > 1 ? v.query_existing[segment.group] : 0;
    double top, bottom;
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
  std::int64_t size = hot::partial_p + m.subsets + sigmas;
  store(*s.loss, task.partial, size, hot::partial_loss);
  store(*s.a_sum, task.partial, size, hot::partial_a);
  for (std::int64_t i = 0; i < m.subsets; ++i)
    store(s.p_sum[i], task.partial, size, hot::partial_p + i);
  for (std::int64_t i = 0; i < sigmas; ++i)
    store(s.sigma_sum[i], task.partial, size, hot::partial_p + m.subsets + i);
}

}  // namespace gihflow::GIHFLOW_ISA
