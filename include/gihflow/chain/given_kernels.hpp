#pragma once

#include <memory>
#include <span>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Given kernels (1.7): chain i has the kernel i mod kernels->count. The prior's alpha has no
/// effect; a floor is refused.
struct GivenKernels {
  std::shared_ptr<const Kernels> kernels;

  /// Adds the fault of a prior with other vocabulary or parents than the kernels, or with a floor.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries: 0 if an entry is 0, else ∞.
  double small_entries(const Prior& prior) const;
  /// The smallest entry.
  double least_probability(const Prior& prior) const;
  friend bool operator==(const GivenKernels&, const GivenKernels&) = default;
};

}  // namespace gihflow
