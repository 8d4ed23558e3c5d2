#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Mixture of K kernels (1.7): they are drawn once by (1.1) and each chain takes one at random;
/// training, validation and check chains share them. Few kernels can be memorised, many must be
/// inferred in context. The posterior is a sum over the K kernels.
struct KernelMixture {
  Index components = 8;               ///< K ≥ 1
  std::optional<std::uint64_t> seed;  ///< of the K kernels; nullopt: that of the chains

  /// Adds the fault of K out of range.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// b, see gihflow::small_entries: ∞, since finitely many kernels have a smallest entry.
  double small_entries(const Prior& prior) const;
  /// Lower bound on all entries for every seed: 0.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const KernelMixture&, const KernelMixture&) = default;
};

/// The K kernels of a mixture for chains of this seed, floor included.
Kernels mixture_components(const Prior& prior, std::uint64_t seed);

/// Posterior law of the label under a finite set of equally likely kernels, by Bayes' rule; exact
/// if the law of the first tokens does not depend on the kernel.
class MixturePosterior {
 public:
  /// Stores the kernels and their logarithms.
  explicit MixturePosterior(Kernels kernels);
  /// Σ_k P(k|x₁ … x_L) π_k(·|z) into law [d], z the context of x_{L+1}; tokens [L + 1], L ≥ longest
  /// parent lag, the label not read; the last `replaced` tokens of the context were not drawn from
  /// the kernel (1.5) and are left out of P.
  void label_law(std::span<const Token> tokens, std::span<double> law, Index replaced = 0) const;

 private:
  Kernels kernels_;
  std::vector<double> log_values_;
};

}  // namespace gihflow
