#pragma once

// Features from a table of u of all windows, FeatureTable, whose row k = h·d + e has component e of
// head h: any model. Derivatives in the inner products are written pair by pair to
// BlockTask::pulls; FeatureFunctions::collect makes ∂/∂u of the windows of them.

#include "population/formulas.hpp"
#include "population/workspace.hpp"

namespace gihflow::GIHFLOW_ISA {

using hot::BlockTask;
using hot::ModelView;

/// The part of the loop over the pairs of a group that depends on features: from windows to inner
/// products ⟨u_h(Z), u_h(q)⟩, and from their derivatives back.
template <class N>
struct Table {
  using S = typename N::S;
  using V = typename N::V;

  static const V* row(const BlockTask& task, std::int64_t k) {
    return reinterpret_cast<const V*>(task.features) + k * task.packs;
  }

  /// Component k of u of eight windows, given by their columns in the table. These increase, except
  /// that the last may be repeated to fill the pack: so they are a whole pack of the table if the
  /// first and the last two of them stand there.
  static void fetch_windows(const BlockTask& task, std::int64_t k, const std::uint32_t* window,
                            V& u) {
    constexpr int last = hot::pack - 1;
    if (window[0] % hot::pack == 0 && window[last] == window[0] + last &&
        window[last - 1] + 1 == window[last])
      u = row(task, k)[window[0] / hot::pack];
    else
      gather_numbers(u, row(task, k), window);
  }

  /// Fetches u of the query.
  static void begin_group(const BlockTask& task, Workspace<N>& s, std::int64_t group,
                          std::int64_t) {
    const ModelView& m = *task.model;
    const std::int64_t query = task.statistics->query_window[group];
    for (std::int64_t k = 0; k < m.H * m.d; ++k) {
      S u;
      read_lane(u, row(task, k)[query / hot::pack], query % hot::pack);
      spread(s.query[k], u);
      set(s.u_bar[k], 0.0);
    }
  }

  /// t [H] of the eight pairs from j on of the group, whose pairs begin at `first`.
  static void inner_products(const BlockTask& task, Workspace<N>& s, std::int64_t first,
                             std::int64_t j, V* t) {
    const ModelView& m = *task.model;
    const std::uint32_t* window = task.statistics->pair_window + first + j;
    V* u = s.seen + j / hot::pack * m.H * m.d;
    for (std::int64_t h = 0; h < m.H; ++h) {
      V sum;
      set(sum, 0.0);
      for (std::int64_t k = h * m.d; k < (h + 1) * m.d; ++k) {
        fetch_windows(task, k, window, u[k]);
        sum = sum + s.query[k] * u[k];
      }
      t[h] = sum;
    }
  }

  /// Takes g = ∂/∂⟨u_h(Z), u_h(q)⟩ of the same pairs and head h.
  static void pull(const BlockTask& task, Workspace<N>& s, std::int64_t, std::int64_t j,
                   std::int64_t h, const V& g) {
    const ModelView& m = *task.model;
    const V* u = s.seen + j / hot::pack * m.H * m.d;
    for (std::int64_t k = h * m.d; k < (h + 1) * m.d; ++k) s.u_bar[k] = s.u_bar[k] + g * u[k];
    s.pulls[j / hot::pack * m.H + h] = g;
  }

  /// Writes ∂/∂u of the query, summed over the pairs of the segment.
  static void end_group(const BlockTask& task, Workspace<N>& s, std::int64_t,
                        std::int64_t segment) {
    const ModelView& m = *task.model;
    S* to = reinterpret_cast<S*>(task.query_pulls) + segment * m.H * m.d;
    for (std::int64_t k = 0; k < m.H * m.d; ++k) to[k] = sum_lanes(s.u_bar[k]);
  }
};

}  // namespace gihflow::GIHFLOW_ISA
