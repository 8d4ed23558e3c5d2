#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Quantities that theory predicts and that are measured in trajectories.
enum class Quantity {
  information_set,  ///< S* of (6.3), a set of lags
  information_gap,  ///< (6.3)
  normalizer,       ///< C_D
  /// Λ = C_D·λ_max where it is largest as a grows with p on S*, (3.7).
  largest_curvature,
  descent_normalizer,  ///< C_D/η where descent on all blocks at once comes to rest, (3.7)
  back_off_share,  ///< 1 − p_S of `set`, which attends to S*, where c and a rest together, (7.6)
  back_off_set,    ///< the head subset that has most of it
  back_off_a,      ///< a there
  takeover_set,    ///< the head subset that stage I selects
  log_odds_slope,  ///< of `set` against `other`, (7.1)
  takeover_time,   ///< flow time to p = 1 − δ of the set that takes over
  takeover_bound,  ///< upper bound of the takeover time
  /// Own logit above which the head subset `set`, which attends to S*, is selected, (7.4).
  critical_logit,
  gamma,                ///< of `head` against `lag`, (7.2)
  concentration_limit,  ///< lim t(1 − σ) of `head`, (7.2)
  concentration_time,  ///< flow time until every head of S* has 1 − δ of its attention on its lag
  final_unattended,    ///< 1 − σ of `head` at the end of stage II
  growth_speed,        ///< ȧ at a = 0, (7.3)
  growth_exponent,     ///< e of ȧ ~ exp(−e·a)
  slow_growth_constant,
  fast_growth_constant,
  plateau,   ///< a at rest in finite context
  final_a,   ///< a at the end of stage III
  gih_loss,  ///< of GIH(S*), (8.1)
  entropy_floor,
  // of the recall task
  recall_plateau,  ///< flow time at which the initially straight e^{−a} extrapolates to 0, (8.7)
  recall_time,     ///< flow time until 1 − δ of the answers at the training length are right
  recall_rate,     ///< lim e^a/t, (8.8)
  recall_length,   ///< at which half of the answers are right at the end of stage III, (8.5)
  // only compared by verify()
  unattended,        ///< 1 − σ of `head` on its lag over flow time, (7.2)
  unused_motion,     ///< largest change of a logit of heads outside S*, 0
  growth_time,       ///< flow time at which a is reached, (7.3)
  recall_growth,     ///< the same on the recall task, (8.6) and (8.8)
  recall_accuracy,   ///< share of right answers, (8.5)
  normalizer_drift,  ///< largest change of log C_D, 0 by (3.2)
  energy_residual,   ///< of (3.5), relative to the drop of the loss
  outcome            ///< how the integration ended
};

/// The head subsets, head or lag that a quantity refers to. Members that are not named at the
/// quantity's enumerator are 0.
struct Subject {
  std::uint32_t set = 0, other = 0;  ///< head subsets, masks as in subsets()
  Index head = 0;                    ///< 0-based
  Index lag = 0;

  bool operator==(const Subject&) const = default;
};

/// δ of the predicted times: when the set that takes over has p = 1 − δ, and when each head of S*
/// has 1 − δ of its attention on its lag.
inline constexpr double prediction_delta = 0.01;

/// The name of the enumerator, "log_odds_slope", which is the key in files and JSON.
std::string to_string(Quantity quantity);
/// "all", "I", "II", "III", "recall", "limit".
std::string phase_of(Quantity quantity);
/// "1", "flow time", "1/flow time", "nats".
std::string units_of(Quantity quantity);
/// The members of the subject that the quantity has, as text for files and JSON: {"set", "{1}"},
/// {"other", "{1,2}"}, {"head", "1"} (counted from 1), {"lag", "2"}.
std::vector<std::pair<std::string, std::string>> members_of(Quantity quantity,
                                                            const Subject& subject);
/// Quantity and subject in words, for tables only: "log-odds slope of {1} against {1,2}".
std::string label(Quantity quantity, const Subject& subject);

}  // namespace gihflow
