#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior.hpp"

namespace GIHFLOW_API gihflow {

/// Law of the first tokens (1.2). burn_in: uniform, and the first `burn_in` tokens drawn after them
/// are dropped (1.8).
enum class InitialLaw { stationary, uniform, burn_in };
/// The last r_n tokens of the context, which the label is drawn after (1.5): those of the chain, or
/// independent uniform ones.
enum class QueryLaw { chain, uniform };
/// What the cross-entropy is taken against (1.4).
enum class Labels { conditional, sampled, posterior };

/// Sequences held in memory. tokens [count, length + 1], the last column the label x_{L+1};
/// targets [count, d], the label distribution T of (1.4).
struct Sequences {
  Index vocabulary = 0;
  Index length = 0;  ///< L
  Index count = 0;   ///< N
  std::vector<Token> tokens;
  std::vector<double> targets;  ///< empty: one-hot at the label
  std::vector<Index> parents;   ///< of the chains they were drawn from; empty: unknown

  /// x₁ … x_{L+1} of a chain [L + 1].
  std::span<const Token> tokens_of(Index chain) const {
    return {tokens.data() + chain * (length + 1), static_cast<std::size_t>(length + 1)};
  }
  /// T of a chain [d].
  std::span<const double> targets_of(Index chain) const {
    return {targets.data() + chain * vocabulary, static_cast<std::size_t>(vocabulary)};
  }
};

/// What SequenceSource::posterior_law wrote.
enum class Posterior {
  unknown,  ///< nothing was written
  near,     ///< the posterior for uniform first tokens and no floor, not the Bayes law here
  exact     ///< the Bayes law (1.4)
};

/// Source of sequences, drawn when asked for or read from memory, one at a time and in any order.
/// Every result is a pure function of the chain's number. Thread-safe.
class SequenceSource {
 public:
  virtual ~SequenceSource() = default;
  /// d.
  virtual Index vocabulary() const = 0;
  virtual Index length() const = 0;  ///< L
  virtual Index count() const = 0;   ///< N
  /// Writes x_1 … x_{L+1} into tokens [L + 1] and T into targets [d]; or into targets [K, d] the
  /// label laws of the last K tokens, K ≤ L, each given the tokens before it (1.6); one-hot where
  /// the law of a token is not known, such as that of the first ones.
  virtual void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const = 0;
  /// The same of consecutive chains: tokens [count, L + 1], targets [count, K, d]. Several at once
  /// may take less time than one by one.
  virtual void draw_chains(Index first, Index count, std::span<Token> tokens,
                           std::span<double> targets) const;
  /// Parents of the chains, r₁ < … < r_n; empty for independent tokens and when unknown.
  virtual std::vector<Index> parents() const { return {}; }
  /// Writes π(·|x_{pa(L+1)}) into law [d], for tokens as draw() writes them or a prefix of them;
  /// returns false and writes nothing where it is not known. May draw the kernel again, but
  /// computes no stationary law.
  virtual bool conditional_law(Index /*chain*/, std::span<const Token> /*tokens*/,
                               std::span<double> /*law*/) const {
    return false;
  }
  /// Writes the law of the label given x_1 … x_L alone into law [d], the `posterior` of (1.4), if
  /// it is known. Tokens as draw() writes them, or a prefix of them.
  virtual Posterior posterior_law(std::span<const Token> /*tokens*/,
                                  std::span<double> /*law*/) const {
    return Posterior::unknown;
  }
};

/// Largest length of a drawn sequence.
inline constexpr Index max_length = Index{1} << 32;

/// Whether sequences are tokens of a Markov chain (1.2) or of the recall task (1.9).
enum class Task { chain, recall };

/// How sequences are drawn.
struct SamplingOptions {
  Task task = Task::chain;
  Prior prior;
  InitialLaw initial_law = InitialLaw::stationary;
  Index burn_in = 0;  ///< tokens that are dropped with InitialLaw::burn_in, 1 to max_length
  QueryLaw query = QueryLaw::chain;
  Labels labels = Labels::conditional;
  Index length = 100;  ///< L ≥ 1 and ≥ longest parent lag, ≤ max_length
  Index count = 9000;  ///< N ≥ 1
  std::uint64_t seed = 1;
  Purpose purpose = Purpose::train;
};

/// The faults of the options that sample_prior and sample_kernels throw: an invalid prior; count,
/// length or burn_in out of range; length < longest parent lag; posterior labels where the
/// posterior is not exact (1.4); a stationary initial law of more than max_stationary_states
/// states, or of chains that have several stationary laws.
ErrorList sampling_errors(const SamplingOptions& options);

/// Sequences drawn from the prior by (1.1)–(1.8): chain i of (seed, purpose) has the same kernel at
/// every length and count, and with query law `chain` a longer sequence begins with the shorter
/// one. Throws InputError with sampling_errors.
std::unique_ptr<SequenceSource> sample_prior(const SamplingOptions& options);

/// Sequences drawn from given kernels; options.prior is not read. Chain i has kernel i modulo their
/// number, and draws of its own. Throws InputError with sampling_errors, for kernels that
/// validate() refuses, and under the stationary initial law for kernels with more than one closed
/// class.
std::unique_ptr<SequenceSource> sample_kernels(std::shared_ptr<const Kernels> kernels,
                                               const SamplingOptions& options);

/// Sequences of the task: sample_prior, or sample_recall. Throws InputError with task_errors.
std::unique_ptr<SequenceSource> sample_task(const SamplingOptions& options);
/// sampling_errors, or recall_errors.
ErrorList task_errors(const SamplingOptions& options);

/// Upper bound in bytes of what drawing a sequence takes on one thread, beside its tokens: its
/// kernel, and under the stationary initial law the matrices of the state reduction.
double drawing_memory(const SamplingOptions& options);
/// What a source of so many drawn sequences keeps: their kernels and their tokens, where those are
/// small, since runs ask for their sequences several times.
double kept_chains_memory(const SamplingOptions& options, Index count);

/// A source of sequences in memory. Throws InputError: vocabulary outside [2, 65,535], count or
/// length < 1, arrays of the wrong size, tokens ≥ vocabulary, target rows that are negative, not
/// finite or refused by sums_to_one().
std::unique_ptr<SequenceSource> stored_sequences(std::shared_ptr<const Sequences> sequences);

/// Chains that a thread draws at once into room of its own, with so many numbers of targets each:
/// 1 where that would not stay in its cache.
Index drawn_together(Index length, Index targets);

/// Draws the chains begin … end − 1, and calls use(chain, tokens [L + 1], targets [K, d]) for each
/// in order.
template <class Use>
void for_sequences(const SequenceSource& source, Index begin, Index end, Index K, Use use) {
  const Index numbers = K * source.vocabulary(), columns = source.length() + 1;
  const Index at_once = std::min(drawn_together(source.length(), numbers), end - begin);
  std::vector<Token> tokens(static_cast<std::size_t>(at_once * columns));
  std::vector<double> targets(static_cast<std::size_t>(at_once * numbers));
  for (Index first = begin; first < end; first += at_once) {
    const Index now = std::min(at_once, end - first);
    const auto rows = std::span(tokens).first(static_cast<std::size_t>(now * columns));
    const auto laws = std::span(targets).first(static_cast<std::size_t>(now * numbers));
    source.draw_chains(first, now, rows, laws);
    for (Index i = 0; i < now; ++i)
      use(first + i,
          std::span<const Token>(rows).subspan(static_cast<std::size_t>(i * columns),
                                               static_cast<std::size_t>(columns)),
          std::span<const double>(laws).subspan(static_cast<std::size_t>(i * numbers),
                                                static_cast<std::size_t>(numbers)));
  }
}

/// Consecutive chains of a source, numbered from 0. The source must outlive it; its conditional and
/// posterior laws and its parents are not passed on.
class SequenceSlice final : public SequenceSource {
 public:
  /// Chains first … first + count − 1 of `source`.
  SequenceSlice(const SequenceSource& source, Index first, Index count)
      : source_(source), first_(first), count_(count) {}
  Index vocabulary() const override { return source_.vocabulary(); }
  Index length() const override { return source_.length(); }
  Index count() const override { return count_; }
  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    source_.draw(first_ + chain, tokens, targets);
  }
  void draw_chains(Index first, Index count, std::span<Token> tokens,
                   std::span<double> targets) const override {
    source_.draw_chains(first_ + first, count, tokens, targets);
  }

 private:
  const SequenceSource& source_;
  Index first_, count_;
};

/// Draws all chains into memory, in parallel. Throws InputError for more than 2^62 tokens.
Sequences collect(const SequenceSource& source);

/// Writes the one-hot vectors of the last K tokens into targets [K, d].
void certain_labels(std::span<const Token> tokens, Index vocabulary, std::span<double> targets);

/// T(e) = (n_{z,e} + α)/(n_z + dα) of (1.4), with n_{z,e} the number of times that context z was
/// followed by e in x_1 … x_K and z the context of x_{L+1}. tokens [L + 1], the label not read, L ≥
/// longest parent lag; law [d]; K = L − `replaced`, without the tokens at the end that the kernel
/// did not draw (1.5).
void posterior_label_law(std::span<const Token> tokens, std::span<const Index> parents,
                         double alpha, std::span<double> law, Index replaced = 0);

}  // namespace gihflow
