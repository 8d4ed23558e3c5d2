#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Stationary law of a finite Markov chain with row-stochastic transition matrix P [n, n] (row
/// major), by the subtraction-free state reduction of Grassmann, Taksar and Heyman (1985); where
/// products underflow, the same reduction in log space. Chains with transient states are fine: the
/// law lives on the closed class. Throws InputError if there is more than one closed class, since
/// the law is then not unique.
std::vector<double> stationary_law(std::vector<double> transition, Index states);

/// Law μ^π of r consecutive tokens (x_{l−1}, …, x_{l−r}) for the chain with kernel π [dⁿ, d] and the
/// given parents, r = `length` ≥ 0. State index base d, x_{l−1} the most significant digit (so the
/// layout agrees with windows and contexts). Computed on r_n tokens by stationary_law and pushed
/// forward or marginalised to `length`. Result [d^length].
std::vector<double> stationary_window_law(std::span<const double> kernel, Index vocabulary,
                                          std::span<const Index> parents, Index length);

}  // namespace gihflow
