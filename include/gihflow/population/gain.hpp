#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Effective information G(S;w) = −∂²𝓛/∂a∂p_S at a = 0 of (6.5), for every subset S of heads in the
/// order of subsets(): the rate of the selection in stage I, (7.1). G is that of the given
/// objective: in finite context G_L with its boundary, normalisation, readout and ε, in infinite
/// context G_ε. The arrays of `at` give the first attention; its a is not read. Result [subsets],
/// in nats. For one-hot attention pass logit 1000 against 0.
std::vector<double> selection_gain(const Objective& objective, const PlainBlocks& at);

/// ∂G(S;w)/∂σ [H, M] for the subset of that index, along the simplex as Gradient::attention is, so
/// that γ_j^{(h)} = ∂G/∂σ_h − ∂G/∂σ_j of (7.2) is a difference of two entries of a row, also at
/// one-hot attention, and ∂G/∂w = σ·∂G/∂σ. In nats. Empty where Gradient::attention is.
std::vector<double> selection_gain_slope(const Objective& objective, const PlainBlocks& at,
                                         Index subset);

}  // namespace gihflow
