#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gihflow/base/random.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

enum class InitialLaw { stationary, uniform };           ///< (1.2)
enum class Labels { conditional, sampled, posterior };   ///< (1.4)

/// Sequences held in memory. tokens [count, length + 1], the last column the label x_{L+1};
/// targets [count, d], the label distribution T of (1.4).
struct Sequences {
  Index vocabulary = 0;
  Index length = 0;  ///< L
  Index count = 0;   ///< N
  std::vector<Token> tokens;
  std::vector<double> targets;
  std::vector<Index> parents;  ///< of the chains they were drawn from; empty when unknown

  std::span<const Token> tokens_of(Index chain) const {
    return {tokens.data() + chain * (length + 1), static_cast<std::size_t>(length + 1)};
  }
  std::span<const double> targets_of(Index chain) const {
    return {targets.data() + chain * vocabulary, static_cast<std::size_t>(vocabulary)};
  }
};

/// Where sequences come from, one at a time and in any order, so that long ones need not be kept:
/// either drawn on the fly or read from memory. Thread-safe.
class SequenceSource {
 public:
  virtual ~SequenceSource() = default;
  virtual Index vocabulary() const = 0;
  virtual Index length() const = 0;  ///< L
  virtual Index count() const = 0;   ///< N
  /// Writes x_1 … x_{L+1} into tokens [L + 1] and T into targets [d].
  virtual void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const = 0;
};

/// How sequences are drawn.
struct SamplingOptions {
  Prior prior;
  InitialLaw initial_law = InitialLaw::stationary;
  Labels labels = Labels::conditional;
  Index length = 100;  ///< L ≥ longest parent lag
  Index count = 9000;
  std::uint64_t seed = 1;
  Purpose purpose = Purpose::train;
};

/// Sequences drawn from the prior: chain i of (seed, purpose) is always the same chain.
/// Throws InputError: posterior labels with a floor or with the stationary initial law (1.4);
/// length < longest parent lag.
std::unique_ptr<SequenceSource> sample_prior(const SamplingOptions& options);

/// Sequences drawn from given kernels (`options.prior` is used for alpha only, if labels are
/// posterior - which is refused for given kernels): one sequence per kernel; if options.count is
/// larger than the number of kernels they are used in turn.
std::unique_ptr<SequenceSource> sample_kernels(std::shared_ptr<const Kernels> kernels,
                                               const SamplingOptions& options);

/// Sequences in memory.
std::unique_ptr<SequenceSource> stored_sequences(std::shared_ptr<const Sequences> sequences);

/// Draws everything into memory, in parallel.
Sequences collect(const SequenceSource& source);

}  // namespace gihflow
