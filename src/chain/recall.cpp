#include "gihflow/chain/recall.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/make_fault.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {

constexpr std::size_t draws_at_once = 512;

class RecallSequences final : public SequenceSource {
 public:
  explicit RecallSequences(const SamplingOptions& options) : options_(options) {}

  Index vocabulary() const override { return options_.prior.vocabulary; }
  Index length() const override { return options_.length; }
  Index count() const override { return options_.count; }
  std::vector<Index> parents() const override { return {1}; }

  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    Stream stream(options_.seed, options_.purpose, Variate::tokens, chain);
    const double scale = static_cast<double>(trigger()) * 0x1p-52;
    std::array<std::uint64_t, draws_at_once> fractions;
    for (std::size_t begin = 0; begin < tokens.size(); begin += draws_at_once) {
      const std::size_t count = std::min(draws_at_once, tokens.size() - begin);
      stream.fractions({fractions.data(), count});
      for (std::size_t i = 0; i < count; ++i)
        tokens[begin + i] = static_cast<Token>((static_cast<double>(fractions[i]) + 0.5) * scale);
    }
    const Index at = first_trigger(chain);
    tokens[size(at)] = tokens[size(length() - 1)] = trigger();
    tokens[size(length())] = tokens[size(at + 1)];
    certain_labels(tokens, vocabulary(), targets);
  }

  bool conditional_law(Index /*chain*/, std::span<const Token> tokens,
                       std::span<double> law) const override {
    return posterior_law(tokens, law) == Posterior::exact;
  }
  Posterior posterior_law(std::span<const Token> tokens, std::span<double> law) const override {
    if (static_cast<Index>(tokens.size()) <= length()) return Posterior::unknown;
    const auto found = std::find(tokens.begin(), tokens.end() - 2, trigger());
    certain_labels({found + 1, 1}, vocabulary(), law);
    return Posterior::exact;
  }

 private:
  Token trigger() const { return static_cast<Token>(vocabulary() - 1); }
  // l₀ − 1, uniform on 0 … L − 3.
  Index first_trigger(Index chain) const {
    Stream stream(options_.seed, options_.purpose, Variate::initial, chain);
    return static_cast<Index>(stream.uniform() * static_cast<double>(length() - 2));
  }

  SamplingOptions options_;
};

}  // namespace

ErrorList recall_errors(const SamplingOptions& options) {
  ErrorList errors;
  const Index d = options.prior.vocabulary;
  if (d < 3 || d > max_vocabulary) {
    errors.add(fault(Field::vocabulary, d,
                     "must be between 3 and {} with {} recall: a trigger and ordinary tokens",
                     max_vocabulary, Field::task));
  }
  if (options.count < 1) {
    errors.add(fault(Field::chains, options.count, "must be at least 1"));
  }
  if (options.length < 3 || options.length > max_length) {
    errors.add(fault(Field::length, options.length,
                     "must be between 3 and {} with {} recall, for two triggers and what follows "
                     "the first",
                     max_length, Field::task));
  }
  return errors;
}

std::unique_ptr<SequenceSource> sample_recall(const SamplingOptions& options) {
  recall_errors(options).throw_if_any();
  return std::make_unique<RecallSequences>(options);
}

}  // namespace gihflow
