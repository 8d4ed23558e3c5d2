#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Formula (1.1): every row π(·|z) ~ Dirichlet(alpha·1_d), independently. Conjugate.
struct DirichletRows {
  /// Adds the faults of the prior as one of this family; here none.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b = alpha, see gihflow::small_entries.
  double small_entries(const Prior& prior) const;
  /// Lower bound on all entries: 0.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const DirichletRows&, const DirichletRows&) = default;
};

}  // namespace gihflow
