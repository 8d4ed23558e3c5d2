#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Lazy copying (1.7), n ≥ 1: with probability ρ the token at the first parent lag is repeated,
/// else the next token comes from a Dirichlet(alpha) row.
struct LazyCopy {
  double copied = 0.5;  ///< ρ in [0, 1)

  /// Adds the faults of ρ out of range and of missing parents.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries.
  double small_entries(const Prior& prior) const;
  /// Lower bound on all entries: 0.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const LazyCopy&, const LazyCopy&) = default;
};

}  // namespace gihflow
