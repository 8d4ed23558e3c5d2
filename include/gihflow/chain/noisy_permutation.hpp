#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Nearly deterministic (1.7): for each context at the other parents, a random permutation of [d]
/// says which token follows the one at the first parent lag; with probability η a uniform token
/// comes instead; n ≥ 1. Has no concentration.
struct NoisyPermutation {
  double noise = 0.1;  ///< η in [0, 1]

  /// What is wrong with it.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// How rare small entries are.
  double small_entries(const Prior& prior) const;
  /// η/d.
  double least_probability(const Prior& prior) const;
  friend bool operator==(const NoisyPermutation&, const NoisyPermutation&) = default;
};

}  // namespace gihflow
