#pragma once

// When `--integrator auto` changes between its explicit and its stiff method.

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Counts steps that speak for a change of method, so that a single one decides nothing. The counts
/// are part of a checkpoint.
struct StiffnessWatch {
  Index votes = 0;    ///< for a change
  Index against = 0;  ///< in a row

  /// True once `needed` steps have spoken for a change, without six in a row against it in between
  /// (the counting of Hairer & Wanner's DOPRI5, where `needed` is 15).
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
/// the stages estimate it; then confirmed by half the limit with the exact ρ(J).
inline constexpr Index steps_before_stiff = 15;
/// Stiff → explicit: dt·ρ(J) below half the limit in this many steps.
inline constexpr Index steps_before_explicit = 5;

}  // namespace gihflow
