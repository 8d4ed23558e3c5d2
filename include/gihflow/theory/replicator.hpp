#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// Stage I as a replicator equation, formula (7.1): p_S(t) ∝ p_S(0) exp(4aG(S)t/C_D). Exact as a →
/// 0 with the G of the trained objective at the fixed attention of the stage.
class Replicator {
 public:
  /// start: θ (whose logsumexp is log C_D) and a. gain: G(S;w) of (6.5) in the order of subsets().
  /// Throws InputError: sizes that differ, a gain that is not finite.
  Replicator(const Parameters& start, std::vector<double> gain);

  /// p(t) [subsets] at flow time t ≥ 0; subsets with c_S = 0 stay at 0.
  std::vector<double> p(double t) const;
  /// Slope of log(p_S/p_S'), 4a(G(S) − G(S'))/C_D, per unit of flow time.
  double slope(Index set, Index other) const;
  /// Position of the set that takes over, with the largest a·G among those with c_S ≠ 0.
  Index winner() const { return winner_; }
  /// aG of the winner minus the largest aG of another set with c_S ≠ 0; ∞ if there is none.
  double gap() const { return gap_; }
  /// Flow time at which the winner's p reaches 1 − δ, 0 < δ < 1: the root of the closed form. 0 if
  /// it starts there; ∞ if a rival of equal gain keeps p below.
  double takeover_time(double delta) const;
  /// Upper bound of takeover_time: C_D/(4·gap)·log((1 − p(0))/(p(0)δ)), at least 0, p(0) the
  /// winner's.
  double takeover_bound(double delta) const;

 private:
  std::vector<double> theta_;  // [subsets]
  std::vector<double> speed_;  // 4aG/C_D [subsets]
  double scale_ = 0;           // 4/C_D
  Index winner_ = 0;
  double gap_ = 0;
};

}  // namespace gihflow
