#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"
#include "gihflow/chain/kernel.hpp"

namespace GIHFLOW_API gihflow {

/// Most entries of one kernel that is drawn.
inline constexpr Index max_kernel_entries = Index{1} << 32;

/// Prior over transition kernels: every row π(·|z) ~ Dirichlet(alpha·1_d) independently, formula
/// (1.1), with the optional floor π ← (1−dγ)π + γ of (1.3).
struct Prior {
  Index vocabulary = 3;                 ///< d ≥ 2
  std::vector<Index> parents = {1, 2};  ///< r₁ < … < r_n
  double alpha = 0.1;                   ///< > 0
  double floor = 0.0;                   ///< γ in [0, 1/d)
};

/// What is wrong with a prior, one sentence each: vocabulary, parents, alpha, floor out of range,
/// or more than max_kernel_entries.
ErrorList prior_errors(const Prior& prior);

/// The kernel of one chain into `values` [dⁿ, d]: a pure function of (seed, purpose, chain). The
/// prior is taken to be valid. An entry is never 0, but as small as the smallest normal double
/// without a floor.
void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values);

/// Kernels of chains 0 … count−1, drawn in parallel. Throws InputError for an invalid prior or
/// count < 1.
Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count);

}  // namespace gihflow
