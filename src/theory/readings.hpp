#pragma once

// Quantities of parameters and snapshots that predictions and measurements share.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/trajectory.hpp"

namespace gihflow {

/// Logit of one-hot attention beside logits of 0: e^{−1000} is 0.
inline constexpr double one_hot_logit = 1000.0;

/// p = δ_S exactly: the coefficients of all other subsets are 0.
inline void select(Parameters& parameters, Index set) {
  std::vector<double> c(parameters.log_c_squared.size(), 0.0);
  c[size(set)] = 0.01;
  parameters.set_c(c);
}

/// Position of the subset with the largest p.
inline Index leading_set(const Parameters& parameters) {
  const auto& theta = parameters.log_c_squared;
  return std::max_element(theta.begin(), theta.end()) - theta.begin();
}

/// Component of its window that a head attends to most, 0-based.
inline Index leading_component(const Parameters& parameters, Index head) {
  const auto row = parameters.w.begin() + head * parameters.window;
  return std::max_element(row, row + parameters.window) - row;
}

/// Heads of a subset, 0-based, increasing.
inline std::vector<Index> heads_of(std::uint32_t mask) {
  std::vector<Index> heads = elements_of(mask);
  for (Index& h : heads) --h;
  return heads;
}

/// Whether a stage trains only this block, as a whole.
inline bool trains_only(const Stage& stage, char block) {
  return stage.blocks.is_only(block);
}

/// log(p_S/p_S') of a snapshot.
inline double log_odds(const Snapshot& s, Index set, Index other) {
  return s.parameters.log_c_squared[size(set)] - s.parameters.log_c_squared[size(other)];
}

/// 1 − σ_i of a head, without cancellation.
inline double unattended(const Parameters& q, Index head, Index component) {
  const double* w = q.w.data() + head * q.window;
  double others = 0.0;
  for (Index j = 0; j < q.window; ++j)
    if (j != component) others += std::exp(w[j] - w[component]);
  return others / (1.0 + others);
}

/// Time at which 1 − p_set falls to δ, by linear interpolation of the log-odds between snapshots;
/// NaN if it does not.
inline double takeover_of(const std::vector<Snapshot>& snapshots, Index set, double delta) {
  const auto odds = [&](const Snapshot& s) {
    std::vector<double> others = s.parameters.log_c_squared;
    const double own = others[size(set)];
    others.erase(others.begin() + set);
    return logsumexp(others) - own;
  };
  const double wanted = std::log(delta / (1.0 - delta));
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    const double before = odds(snapshots[i - 1]), after = odds(snapshots[i]);
    if (before > wanted && after <= wanted)
      return snapshots[i - 1].t +
             (snapshots[i].t - snapshots[i - 1].t) * (before - wanted) / (before - after);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Flow time at which the line through e^{−a} at the start and at the last point with a ≤ 0.5
/// reaches 0, (8.7); NaN without such a point.
inline double plateau_end(const std::vector<Snapshot>& snapshots) {
  const auto past = std::find_if(snapshots.begin(), snapshots.end(),
                                 [](const Snapshot& s) { return s.parameters.a > 0.5; });
  if (past - snapshots.begin() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double first = std::exp(-snapshots.front().parameters.a);
  const Snapshot& last = *(past - 1);
  return first * last.t / (first - std::exp(-last.parameters.a));
}

}  // namespace gihflow
