#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/sequence.hpp"

namespace gihflow {

namespace {

class StoredSequences final : public SequenceSource {
 public:
  explicit StoredSequences(std::shared_ptr<const Sequences> sequences)
      : sequences_(std::move(sequences)) {}

  Index vocabulary() const override { return sequences_->vocabulary; }
  Index length() const override { return sequences_->length; }
  Index count() const override { return sequences_->count; }
  std::vector<Index> parents() const override { return sequences_->parents; }

  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    const auto from = sequences_->tokens_of(chain);
    std::copy(from.begin(), from.end(), tokens.begin());
    certain_labels(tokens, vocabulary(), targets);
    if (!sequences_->targets.empty()) {
      const auto law = sequences_->targets_of(chain);
      std::copy(law.begin(), law.end(), targets.end() - vocabulary());
    }
  }

 private:
  std::shared_ptr<const Sequences> sequences_;
};

void check_tokens(const Sequences& s, ErrorList& errors) {
  const auto wrong = std::find_if(s.tokens.begin(), s.tokens.end(),
                                  [&](Token token) { return token >= s.vocabulary; });
  if (wrong == s.tokens.end()) return;
  const Index at = wrong - s.tokens.begin();
  errors.add(fault(
      fmt::format("tokens, chain {}, position {}, value", at / (s.length + 1), at % (s.length + 1)),
      *wrong, "must be below the vocabulary, {}", s.vocabulary));
}

void check_targets(const Sequences& s, ErrorList& errors) {
  for (Index chain = 0; chain < s.count; ++chain) {
    double sum = 0.0;
    for (const double p : s.targets_of(chain)) {
      if (!std::isfinite(p) || p < 0.0) {
        errors.add(fault(fmt::format("targets, chain {}, value", chain), p,
                         "must be finite and not negative"));
        return;
      }
      sum += p;
    }
    if (!sums_to_one(sum, s.targets_of(chain))) {
      errors.add(fault(fmt::format("targets, chain {}, sum", chain), sum, "must be 1 within {}",
                       sum_tolerance));
      return;
    }
  }
}

}  // namespace

std::unique_ptr<SequenceSource> stored_sequences(std::shared_ptr<const Sequences> sequences) {
  const Sequences& s = *sequences;
  ErrorList errors;
  if (s.vocabulary < 2 || s.vocabulary > max_vocabulary) {
    errors.add(fault(Field::vocabulary, s.vocabulary, "must be between 2 and {}", max_vocabulary));
  }
  if (s.count < 1) errors.add(fault(Field::chains, s.count, "must be at least 1"));
  if (s.length < 1) errors.add(fault(Field::length, s.length, "must be at least 1"));
  errors.throw_if_any();

  const auto holds = [](std::size_t given, Index rows, Index columns) {
    const Index n = static_cast<Index>(given);
    return n % columns == 0 && n / columns == rows;
  };
  if (!holds(s.tokens.size(), s.count, s.length + 1)) {
    errors.add(fault("tokens,", fmt::format("{} of them", s.tokens.size()),
                     "must be {} chains x {}", s.count, s.length + 1));
  } else {
    check_tokens(s, errors);
  }
  if (!s.targets.empty()) {
    if (!holds(s.targets.size(), s.count, s.vocabulary)) {
      errors.add(fault("targets,", fmt::format("{} of them", s.targets.size()),
                       "must be {} chains x {}", s.count, s.vocabulary));
    } else {
      check_targets(s, errors);
    }
  }
  errors.throw_if_any();
  return std::make_unique<StoredSequences>(std::move(sequences));
}

}  // namespace gihflow
