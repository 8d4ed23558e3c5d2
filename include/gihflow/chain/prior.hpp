#pragma once

#include <cstdint>
#include <vector>

#include "gihflow/base/random.hpp"
#include "gihflow/chain/kernel.hpp"

namespace gihflow {

/// Prior over transition kernels: every row π(·|z) ~ Dirichlet(alpha·1_d) independently, formula
/// (1.1), with the optional floor π ← (1−dγ)π + γ of (1.3).
struct Prior {
  Index vocabulary = 3;                ///< d ≥ 2
  std::vector<Index> parents = {1, 2}; ///< r₁ < … < r_n
  double alpha = 0.1;                  ///< > 0
  double floor = 0.0;                  ///< γ in [0, 1/d)
};

/// The kernel of one chain into `values` [dⁿ, d]: a pure function of (seed, purpose, chain).
void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values);

/// Kernels of chains 0 … count−1.
Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count);

}  // namespace gihflow
