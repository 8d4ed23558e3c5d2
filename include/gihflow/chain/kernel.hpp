#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Transition kernels π(e | z) of several chains with the same parents.
/// Layout: values[chain, context, token], sizes [count, dⁿ, d], the token fastest. The context
/// index is base d with x_{l−r₁} the most significant digit.
struct Kernels {
  Index vocabulary = 0;        ///< d
  std::vector<Index> parents;  ///< r₁ < … < r_n, all ≥ 1; may be empty (independent tokens)
  Index count = 0;             ///< N
  std::vector<double> values;

  Index contexts() const;                                                     ///< dⁿ
  Index longest_lag() const { return parents.empty() ? 0 : parents.back(); }  ///< r_n
  std::span<const double> of_chain(Index chain) const;                        ///< [dⁿ, d]
  /// The same, writable.
  std::span<double> of_chain(Index chain);
};

/// The kernels of the first min(count, all.count) chains.
Kernels first_kernels(const Kernels& all, Index count);

/// "1,2" for the lags 1 and 2; "" for none.
std::string to_string_lags(std::span<const Index> lags);

/// Whether lags can be parents: all ≥ 1 and strictly increasing; none at all is allowed.
bool are_parents(std::span<const Index> lags);
/// `allowed` of a Fault of parents that are not are_parents().
inline constexpr char parents_allowed[] = "must be lags of at least 1 in increasing order";

/// Context index, in the layout of Kernels, of the window (x_{l−1}, …, x_{l−length}), length ≥ r_n:
/// keeps the digits at the parents' lags of a base-d code with x_{l−1} the most significant digit.
Index context_of_window(Index window, Index length, Index vocabulary,
                        std::span<const Index> parents);

/// Throws InputError for given kernels that are not usable: vocabulary outside [2, 65,535], no
/// chains, wrong size, negative or non-finite entries, rows that sums_to_one() refuses, parents not
/// increasing or < 1. Each sentence starts with `name` and gives the first wrong chain and context
/// and how many more there are.
void validate(const Kernels& kernels, const char* name);

}  // namespace gihflow
