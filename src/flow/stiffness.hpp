#pragma once

// When Integrator::automatic changes between its explicit and its stiff method.

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Counts steps in favour of a change of method, so that a single step does not decide. The counts
/// are part of a checkpoint.
struct StiffnessWatch {
  Index votes = 0;    ///< steps in favour
  Index against = 0;  ///< consecutive steps against

  /// True once `needed` steps were in favour of a change, without six consecutive ones against it
  /// in between (the counting of Hairer & Wanner's DOPRI5, where `needed` is 15).
  bool vote(bool for_change, Index needed) {
    if (!for_change) {
      if (++against == 6) votes = 0;
      return false;
    }
    against = 0;
    if (votes < needed) ++votes;
    return votes == needed;
  }
};

/// Explicit → stiff: dt·ρ above the stability limit in this many steps, ρ the spectral radius as
/// estimated from the stages, and then dt·ρ(J) at least half the limit with the exact Jacobian J.
inline constexpr Index steps_before_stiff = 15;
/// Stiff → explicit: dt·ρ(J) below half the limit in this many steps.
inline constexpr Index steps_before_explicit = 5;

}  // namespace gihflow
