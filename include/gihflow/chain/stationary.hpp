#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Largest number n of states for which a stationary law is computed: state reduction stores n²
/// numbers and takes up to n³/3 multiplications.
inline constexpr Index max_stationary_states = 4096;

/// Largest number of entries of a window law.
inline constexpr Index max_windows = Index{1} << 32;

/// Stationary law μ = μP of a finite Markov chain with row-stochastic transition matrix P [n, n]
/// (row major, n ≤ max_stationary_states), by the subtraction-free state reduction of Grassmann,
/// Taksar and Heyman (1985), accurate in every component even if the chain is nearly reducible.
/// Where a product would underflow, the reduction is repeated in numbers whose exponents have
/// unlimited range. The result depends only on the entries off the diagonal. Periodic chains and
/// chains with transient states are fine: the law lives on the closed class, and is 0 elsewhere
/// (and where a probability is too small for a double). Throws InputError: more than one closed
/// class, since the law is then not unique; entries negative or not finite; wrong size.
std::vector<double> stationary_law(std::vector<double> transition, Index states);

/// Upper bound in bytes of what the stationary law of `states` states takes: the transition matrix,
/// its closed class, and the matrix that is reduced, in numbers of unlimited range if need be.
constexpr double stationary_memory(double states) {
  return 32.0 * states * states + 256.0 * states;
}

/// Number of closed classes of the chain over r_n consecutive tokens with kernel π [dⁿ, d]. Its
/// stationary law is unique if there is one class, as for every strictly positive kernel.
Index closed_classes(std::span<const double> kernel, Index vocabulary,
                     std::span<const Index> parents);

/// Law μ^π of r consecutive tokens (x_{l−1}, …, x_{l−r}) for the chain with kernel π [dⁿ, d] and
/// the given parents, r = `length` ≥ 0. State index base d, x_{l−1} the most significant digit (so
/// the layout agrees with windows and contexts). Computed on r_n tokens as stationary_law does and
/// pushed forward or marginalised to `length`. Result [d^length]. Cost: the reduction of d^{r_n}
/// states, whose zeros are skipped (it fills in as it goes), then d^length multiplications. Throws
/// InputError: d^{r_n} > max_stationary_states, d^length > max_windows, more than one closed class.
std::vector<double> stationary_window_law(std::span<const double> kernel, Index vocabulary,
                                          std::span<const Index> parents, Index length);

/// Law of a token e and of those at some lags before it, increasing, under the stationary chain,
/// [d, d^lags]: e is the most significant digit, then the smallest lag. Tokens between the lags are
/// summed out on the way, so a distant lag costs time but no memory: about max(lags)·d^{lags + r_n
/// + 1} multiplications. The lags 1 … W give stationary_window_law of W + 1 tokens, bit for bit.
/// Throws InputError as it does.
std::vector<double> stationary_lag_law(std::span<const double> kernel, Index vocabulary,
                                       std::span<const Index> parents, std::span<const Index> lags);

/// Called with a set of lags, bit i for lags[i], and the law of a token and of those at its lags.
using LagLawUse = std::function<void(std::uint32_t set, std::span<const double> law)>;

/// stationary_lag_law of every set of 1 to `degree` of some lags, increasing, at most 32 of them;
/// to rounding. Sets that differ by a shift, or in their youngest lags, share work: about
/// W^degree·d^{degree + r_n + 1} multiplications, W the widest lag, whatever d^lags is. Throws
/// InputError as that does.
void visit_lag_laws(std::span<const double> kernel, Index vocabulary,
                    std::span<const Index> parents, std::span<const Index> lags, Index degree,
                    const LagLawUse& use);

}  // namespace gihflow
