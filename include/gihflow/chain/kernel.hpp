#pragma once

#include <span>
#include <vector>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Transition kernels π(e | z) of several chains with the same parents.
/// Layout: values[chain, context, token], sizes [count, dⁿ, d], the token fastest. The context index
/// is base d with x_{l−r₁} the most significant digit.
struct Kernels {
  Index vocabulary = 0;        ///< d
  std::vector<Index> parents;  ///< r₁ < … < r_n, all ≥ 1; may be empty (independent tokens)
  Index count = 0;             ///< N
  std::vector<double> values;

  Index contexts() const;  ///< dⁿ
  Index longest_lag() const { return parents.empty() ? 0 : parents.back(); }  ///< r_n
  std::span<const double> of_chain(Index chain) const;  ///< [dⁿ, d]
  std::span<double> of_chain(Index chain);
};

/// d^exponent; throws InputError naming `what` when it exceeds 2^62.
Index power(Index base, Index exponent, const char* what);

/// Errors in kernels given by a caller (shape, negative or non-finite entries, rows that do not sum
/// to 1 within 1e-9, parents not increasing or < 1), as sentences that start with `name`.
void validate(const Kernels& kernels, const char* name);

}  // namespace gihflow
