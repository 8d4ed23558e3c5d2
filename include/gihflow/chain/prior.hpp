#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"
#include "gihflow/chain/dirichlet_rows.hpp"
#include "gihflow/chain/doubly_stochastic.hpp"
#include "gihflow/chain/fixed_kernel.hpp"
#include "gihflow/chain/given_kernels.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/kernel_mixture.hpp"
#include "gihflow/chain/lazy_copy.hpp"
#include "gihflow/chain/low_rank.hpp"
#include "gihflow/chain/noisy_permutation.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Most entries of one kernel that is drawn.
inline constexpr Index max_kernel_entries = Index{1} << 32;

/// The law of a kernel, up to what Prior says of all families.
using PriorFamily = std::variant<DirichletRows, DoublyStochastic, LazyCopy, NoisyPermutation,
                                 LowRank, KernelMixture, FixedKernel, GivenKernels>;

/// Prior over transition kernels (1.1), (1.7), with the optional floor π ← (1−dγ)π + γ of (1.3).
struct Prior {
  Index vocabulary = 3;                  ///< d ≥ 2
  std::vector<Index> parents = {1, 2};   ///< r₁ < … < r_n
  double alpha = 0.1;                    ///< > 0, the concentration
  double floor = 0.0;                    ///< γ in [0, 1/d)
  PriorFamily family = DirichletRows();  ///< the law of a kernel
};

/// The prior that is these kernels, one for each chain, in turn.
Prior prior_of(std::shared_ptr<const Kernels> kernels);
/// The kernels of such a prior; null for those that are drawn.
const Kernels* given_kernels(const Prior& prior);

/// A family by its name, "lazy", with the number or numbers that some have, "lazy:0.3"; none where
/// `text` names no family or its number is not one. Given kernels have no name.
std::optional<PriorFamily> family_named(const std::string& text);
/// The inverse, shortest digits that round-trip.
std::string to_string(const PriorFamily& family);
/// What may be written, "dirichlet, doubly-stochastic, lazy:RHO, …".
std::string family_names();

/// What is wrong with a prior, one sentence each: vocabulary, parents, alpha, floor or the family's
/// own number out of range, parents that the family does not have, or more than max_kernel_entries.
ErrorList prior_errors(const Prior& prior);

/// The kernel of one chain into `values` [dⁿ, d]: a pure function of (seed, purpose, chain). The
/// prior is taken to be valid. Without a floor an entry may be as small as the smallest normal
/// double; 0 are entries of given kernels and of permutations without noise alone.
void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values);

/// Kernels of chains 0 … count−1, drawn in parallel. Throws InputError for an invalid prior or
/// count < 1.
Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count);

/// α where rows are Dirichlet(α) without a floor, so that the posterior over kernels is Dirichlet
/// too; none for every other prior.
std::optional<double> conjugate_concentration(const Prior& prior);

/// The largest known bound from below on all entries of all kernels: γ, (1−dγ)η/d + γ with noise η.
double least_probability(const Prior& prior);

/// b of P(π(e|z) < x) ~ x^b as x → 0, slowly varying factors aside; ∞ where entries are bounded
/// away from 0, 0 where some are 0. It decides how a grows in stage III, see growth_exponent.
double small_entries(const Prior& prior);

}  // namespace gihflow
