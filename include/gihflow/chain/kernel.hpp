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
  /// The same, to be written.
  std::span<double> of_chain(Index chain);
};

/// Of the first chains, at most `count`.
Kernels first_kernels(const Kernels& all, Index count);

/// Lags with commas between them, "1,2"; "" for none.
std::string to_string_lags(std::span<const Index> lags);

/// Whether lags can be parents: at least 1 and increasing. No lags at all are fine.
bool are_parents(std::span<const Index> lags);
/// What a fault of parents says is allowed.
inline constexpr char parents_allowed[] = "must be lags of at least 1 in increasing order";

/// Context index of the window (x_{l−1}, …, x_{l−length}), a code base d with x_{l−1} the most
/// significant digit: its digits at the parents' lags, in the layout of Kernels. length ≥ r_n.
Index context_of_window(Index window, Index length, Index vocabulary,
                        std::span<const Index> parents);

/// Throws InputError for kernels given by a caller that are not usable: vocabulary or number of
/// chains out of range, shape, negative or non-finite entries, rows that do not sum to 1 within
/// 1e-9, parents not increasing or < 1. Each sentence starts with `name` and tells the first
/// offending chain and context, and how many more there are.
void validate(const Kernels& kernels, const char* name);

}  // namespace gihflow
