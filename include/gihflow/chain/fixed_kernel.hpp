#pragma once

#include <span>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// One known kernel for all chains (1.7). The prior's alpha has no effect.
struct FixedKernel {
  std::vector<double> probabilities;  ///< π [dⁿ, d], the token fastest

  /// Adds faults of the probabilities: their number, negative or non-finite ones, rows that do not
  /// sum to 1.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries: 0 if an entry is 0, else ∞.
  double small_entries(const Prior& prior) const;
  /// The smallest entry.
  double least_probability(const Prior& prior) const;
  friend bool operator==(const FixedKernel&, const FixedKernel&) = default;
};

}  // namespace gihflow
