#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// κ of (3.7): gradient descent on all blocks at once leaves C_D at κ·ηΛ/2, κ = 1.29 ± 0.25 over
/// learning rates, scales of c, α, lengths and vocabularies, as experiments/catapult measures it.
inline constexpr double catapult_excess = 1.3;

/// Where on the way of a the loss is most curved in c with p = δ_S, (3.7).
struct LargestCurvature {
  double a = 0;          ///< NaN: it grows up to a = 50
  double curvature = 0;  ///< Λ = C_D·λ_max = 2·max_T (g_S − g_T), g = −∂𝓛/∂p; NaN with a
};

/// Of the subset with that index, at these arrays, of which all but a is fixed.
LargestCurvature largest_curvature(const Objective& objective, Index subset,
                                   const PlainBlocks& blocks);

}  // namespace gihflow
