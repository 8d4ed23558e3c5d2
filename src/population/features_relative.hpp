#pragma once

// Relative features, those of the paper: windows of consecutive lags that all exist, attention that
// depends on no token, and u = v (has_relative_features()). The inner products of a pair are
// gathered from σ and the query's v, and no table of windows is kept.

#include "population/formulas.hpp"
#include "population/workspace.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::BlockTask;
using hot::ModelView;
using hot::StatisticsView;

/// Reads x[i], with along[i] as its derivative where the number type has one.
inline void fetch(double& y, const double* x, const double*, std::int64_t i) {
  y = x[i];
}
inline void fetch(Dual<double>& y, const double* x, const double* along, std::int64_t i) {
  y = {x[i], along[i]};
}

/// The tokens that head h sees of a window, or of eight: the digits from its first lag on.
inline const std::uint16_t* seen_by(const ModelView& m, const std::uint16_t* digits, std::int64_t h,
                                    std::int64_t lanes = 1) {
  return digits + m.first_lag[h] * lanes;
}

/// The same operations as Table, see features_table.hpp.
template <class N>
struct Relative {
  using S = typename N::S;
  using V = typename N::V;

  static const std::uint16_t* query_digits(const BlockTask& task, std::int64_t group) {
    return task.statistics->query_digits + group * task.model->W;
  }

  /// v^{(h)} of the query.
  static void begin_group(const BlockTask& task, Workspace<N>& s, std::int64_t group,
                          std::int64_t) {
    const ModelView& m = *task.model;
    const std::int64_t width = m.d + 1;
    for (std::int64_t i = 0; i < m.H * width; ++i) {
      set(s.u[i], 0.0);
      set(s.u_bar[i], 0.0);
    }
    for (std::int64_t h = 0; h < m.H; ++h) {
      const std::uint16_t* seen = seen_by(m, query_digits(task, group), h);
      S* u = s.u + h * width;
      for (std::int64_t i = 0; i < m.M; ++i) u[seen[i]] = u[seen[i]] + s.sigma[h * m.M + i];
    }
  }

  static void inner_products(const BlockTask& task, Workspace<N>& s, std::int64_t first,
                             std::int64_t j, V* t) {
    const ModelView& m = *task.model;
    const std::uint16_t* digits = task.statistics->pair_digits + (first + j) * m.W;
    V seen_value, weight;
    for (std::int64_t h = 0; h < m.H; ++h) {
      const std::uint16_t* seen = seen_by(m, digits, h, hot::pack);
      const S* u = s.u + h * (m.d + 1);
      V sum;
      set(sum, 0.0);
      for (std::int64_t i = 0; i < m.M; ++i) {
        look_up(seen_value, u, m.d, seen + i * hot::pack);
        spread(weight, s.sigma[h * m.M + i]);
        sum = sum + weight * seen_value;
      }
      t[h] = sum;
    }
  }

  /// g is G_h(Z,q) = ∂/∂t_h of (4.3).
  static void pull(const BlockTask& task, Workspace<N>& s, std::int64_t first, std::int64_t j,
                   std::int64_t h, const V& g) {
    const ModelView& m = *task.model;
    const std::uint16_t* seen =
        seen_by(m, task.statistics->pair_digits + (first + j) * m.W, h, hot::pack);
    const S* u = s.u + h * (m.d + 1);
    V seen_value, weight, some[pack_lanes];
    V* const u_bar = s.u_bar + h * (m.d + 1);
    V* const bar = m.d <= pack_lanes ? some : u_bar;  // in registers where there are few
    if (bar == some)
      for (std::int64_t e = 0; e < m.d; ++e) some[e] = u_bar[e];
    for (std::int64_t i = 0; i < m.M; ++i) {
      const std::uint16_t* token = seen + i * hot::pack;
      look_up(seen_value, u, m.d, token);
      V& sum = s.sigma_sum[h * m.M + i];
      sum = sum + g * seen_value;
      spread(weight, s.sigma[h * m.M + i]);
      add_to_columns(g * weight, bar, m.d, token);
    }
    if (bar == some)
      for (std::int64_t e = 0; e < m.d; ++e) u_bar[e] = some[e];
  }

  /// ∂/∂σ through the query, from ∂/∂u(q) summed over the pairs of the segment.
  static void end_group(const BlockTask& task, Workspace<N>& s, std::int64_t group, std::int64_t) {
    const ModelView& m = *task.model;
    const std::int64_t width = m.d + 1;
    for (std::int64_t h = 0; h < m.H; ++h) {
      S* bar = s.u + h * width;  // no longer needed
      for (std::int64_t e = 0; e < m.d; ++e) bar[e] = sum_lanes(s.u_bar[h * width + e]);
      const std::uint16_t* seen = seen_by(m, query_digits(task, group), h);
      for (std::int64_t i = 0; i < m.M; ++i) {
        S& sum = s.query_sigma_sum[h * m.M + i];
        sum = sum + bar[seen[i]];
      }
    }
  }
};

}  // namespace gihflow::GIHFLOW_ISA
