#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Permutations with noise (1.7), n ≥ 1: for each context at the other parents a random permutation
/// of [d] maps the token at the first parent lag to the next token; with probability η a uniform
/// token comes instead. The prior's alpha has no effect.
struct NoisyPermutation {
  double noise = 0.1;  ///< η in [0, 1]

  /// Adds the faults of η out of range and of missing parents.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries.
  double small_entries(const Prior& prior) const;
  /// η/d.
  double least_probability(const Prior& prior) const;
  friend bool operator==(const NoisyPermutation&, const NoisyPermutation&) = default;
};

}  // namespace gihflow
