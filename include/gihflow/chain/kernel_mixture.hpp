#pragma once

#include <optional>
#include <span>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior_family.hpp"

namespace GIHFLOW_API gihflow {

/// Few tasks or many (1.7): K kernels are drawn once by (1.1), and each chain takes one of them at
/// random, whatever it is drawn for. Few kernels can be memorised, many only be inferred. Its
/// posterior is a sum over the K kernels.
struct KernelMixture {
  Index components = 8;               ///< K ≥ 1
  std::optional<std::uint64_t> seed;  ///< of the K kernels; none: that of the chains

  /// What is wrong with it.
  void check(const Prior& prior, ErrorList& errors) const;
  /// π of a chain into kernel [dⁿ, d].
  void draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const;
  /// ∞: K kernels have a least entry.
  double small_entries(const Prior& prior) const;
  /// A bound from below on all entries.
  double least_probability(const Prior&) const { return 0.0; }
  friend bool operator==(const KernelMixture&, const KernelMixture&) = default;
};

/// The K kernels of a mixture for chains of this seed, floor included.
Kernels mixture_components(const Prior& prior, std::uint64_t seed);

/// The law of the label under a finite set of equally likely kernels, by Bayes' rule: exact where
/// the law of the first tokens does not depend on the kernel.
class MixturePosterior {
 public:
  /// Keeps the kernels and their logarithms.
  explicit MixturePosterior(Kernels kernels);
  /// Σ_k P(k|x₁ … x_L) π_k(·|z) into law [d], z the context of x_{L+1}; tokens [L + 1], the label
  /// not read, L ≥ longest parent lag, of which `replaced` at the end tell nothing of the kernel.
  void label_law(std::span<const Token> tokens, std::span<double> law, Index replaced = 0) const;

 private:
  Kernels kernels_;
  std::vector<double> log_values_;
};

}  // namespace gihflow
