#pragma once

#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Low-rank kernels with K latent classes (1.7): π(e|z) = Σ_k A(k|z) B(e|k) with rows A(·|z) ~
/// Dirichlet(alpha·1_K) and B(·|k) ~ Dirichlet(alpha·1_d), all independent. With K = 1 the tokens
/// of a chain are independent.
struct LowRank {
  Index classes = 2;  ///< K ≥ 1

  /// Adds the fault of K out of range.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries: K·alpha, since all K products must be small.
  double small_entries(const Prior& prior) const;
  /// Lower bound on all entries: 0.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const LowRank&, const LowRank&) = default;
};

}  // namespace gihflow
