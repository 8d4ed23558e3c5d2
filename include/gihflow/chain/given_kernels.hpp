#pragma once

#include <memory>
#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Kernels that are given: one for each chain, in turn, or one for all (1.7). They have no
/// concentration, and no floor is applied.
struct GivenKernels {
  std::shared_ptr<const Kernels> kernels;

  /// What is wrong with it.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// 0 where an entry is 0, else ∞.
  double small_entries(const Prior& prior) const;
  /// The least entry.
  double least_probability(const Prior& prior) const;
  friend bool operator==(const GivenKernels&, const GivenKernels&) = default;
};

}  // namespace gihflow
