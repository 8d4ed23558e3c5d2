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

/// Largest number of entries of one drawn kernel.
inline constexpr Index max_kernel_entries = Index{1} << 32;

/// The law of a kernel, except for the parameters that all families share (Prior).
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

/// The prior with these kernels as GivenKernels; `kernels` not null.
Prior prior_of(std::shared_ptr<const Kernels> kernels);
/// The kernels of a prior with GivenKernels; null for other priors.
const Kernels* given_kernels(const Prior& prior);

/// The family of a name, "lazy", or of a name with its parameter, "lazy:0.3"; nullopt for an
/// unknown name or a parameter that is not a number. GivenKernels has no name.
std::optional<PriorFamily> family_named(const std::string& text);
/// Inverse of family_named, with the shortest digits that round-trip; "given" for GivenKernels.
std::string to_string(const PriorFamily& family);
/// The names for messages, "dirichlet, doubly-stochastic, lazy:RHO, …".
std::string family_names();

/// The faults of a prior: vocabulary, parents, alpha, floor or the family's own parameter out of
/// range, parents that the family does not allow, more than max_kernel_entries entries.
ErrorList prior_errors(const Prior& prior);

/// Writes the kernel of one chain, floor (1.3) included, into `values` [dⁿ, d]: a pure function of
/// (seed, purpose, chain). The prior must be valid. Entries may be as small as the smallest normal
/// double; only given or fixed kernels and permutations without noise have entries 0.
void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values);

/// Kernels of chains 0 … count−1, drawn in parallel. Throws InputError for an invalid prior, count
/// < 1 or more than 2^62 entries.
Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count);

/// α of Dirichlet(α) rows without a floor, for which the posterior over kernels is Dirichlet too;
/// nullopt for every other prior.
std::optional<double> conjugate_concentration(const Prior& prior);

/// Largest known lower bound on all entries of all kernels, floor γ included: γ, or (1−dγ)η/d + γ
/// with noise η.
double least_probability(const Prior& prior);

/// The exponent b of P(π(e|z) < x) ~ x^b as x → 0, up to slowly varying factors; ∞ where entries
/// are bounded away from 0, 0 where some are 0. It sets the growth of a in stage III, see
/// growth_exponent.
double small_entries(const Prior& prior);

}  // namespace gihflow
