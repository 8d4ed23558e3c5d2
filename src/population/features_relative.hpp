#pragma once

// Features of windows of consecutive lags whose attention depends on no token: the inner products
// of a pair follow from the attention itself, by gathering, and no table of windows is kept.

#include "population/formulas.hpp"
#include "population/workspace.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::BlockTask;
using hot::ModelView;
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

/// See Table in features_table.hpp: the same operations.
template <class N>
struct Relative {
  using S = typename N::S;
  using V = typename N::V;

  static void begin_group(const BlockTask& task, Workspace<N>& s, std::int64_t group,
                          std::int64_t) {
    const ModelView& m = *task.model;
    const StatisticsView& v = *task.statistics;
    query_features(m, s, v.query_digits + group * m.W,
                   m.patterns > 1 ? v.query_existing[group] : 0);
  }

  static void inner_products(const BlockTask& task, Workspace<N>& s, std::int64_t first,
                             std::int64_t j, V* t) {
    const ModelView& m = *task.model;
    V seen_value;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const std::uint16_t* seen = attend(m, *task.statistics, s, first + j, h);
      const S* u = s.u + h * (m.d + 1);
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
  }

  /// g is G_h(Z,q) = ∂𝓛/∂t_h.
  static void pull(const BlockTask& task, Workspace<N>& s, std::int64_t first, std::int64_t j,
                   std::int64_t h, const V& t, V g) {
    const ModelView& m = *task.model;
    const StatisticsView& v = *task.statistics;
    const std::int64_t width = m.d + 1;
    const std::uint16_t* seen = attend(m, v, s, first + j, h);
    const S* u = s.u + h * width;
    V* u_bar = s.u_bar + h * width;
    V pull, seen_value, zero;
    set(zero, 0.0);
    if (m.l2) {
      // Where a window is empty, v = 0 and nothing flows back.
      const V& norm = s.pair_norm[j / hot::pack * m.H + h];
      g = where_positive(value(norm), g / (norm + norm_guard), zero);
      pull = where_positive(value(norm), t / norm, zero);
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

  static void end_group(const BlockTask& task, Workspace<N>& s, std::int64_t group, std::int64_t) {
    const ModelView& m = *task.model;
    const StatisticsView& v = *task.statistics;
    query_backward(m, s, v.query_digits + group * m.W,
                   m.patterns > 1 ? v.query_existing[group] : 0);
  }
};

}  // namespace gihflow::GIHFLOW_ISA
