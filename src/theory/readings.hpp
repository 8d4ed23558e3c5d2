#pragma once

// Quantities read off the snapshots of a stage, to compare with predictions.

#include <cmath>
#include <limits>
#include <vector>

#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/trajectory.hpp"

namespace gihflow {

/// log(p_S/p_S') of a snapshot.
inline double log_odds(const Snapshot& s, Index set, Index other) {
  return s.parameters.log_c_squared[static_cast<std::size_t>(set)] -
         s.parameters.log_c_squared[static_cast<std::size_t>(other)];
}

/// 1 − σ_i of a head, without cancellation.
inline double unattended(const Parameters& q, Index head, Index component) {
  const double* w = q.w.data() + head * q.window;
  double others = 0.0;
  for (Index j = 0; j < q.window; ++j)
    if (j != component) others += std::exp(w[j] - w[component]);
  return others / (1.0 + others);
}

/// Time at which 1 − p_set falls to δ, by interpolation of the log-odds, which is almost straight,
/// between snapshots; NaN if it does not.
inline double takeover_of(const std::vector<Snapshot>& snapshots, Index set, double delta) {
  const auto odds = [&](const Snapshot& s) {
    std::vector<double> others = s.parameters.log_c_squared;
    const double own = others[static_cast<std::size_t>(set)];
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

}  // namespace gihflow
