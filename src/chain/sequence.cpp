#include "gihflow/chain/sequence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/make_fault.hpp"
#include "chain/token_loop.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/recall.hpp"
#include "gihflow/chain/stationary.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 16;
constexpr Index dropped_at_once = 4096;  // tokens of a burn-in

// Context index of x_{position+1} from the tokens before it; tokens[position] is x_{position+1}.
Index context_at(std::span<const Token> tokens, Index position, Index vocabulary,
                 std::span<const Index> parents) {
  Index context = 0;
  for (const Index lag : parents) context = context * vocabulary + tokens[size(position - lag)];
  return context;
}

// Sequences of chains with kernels drawn from a prior, or given.
class SampledSequences final : public SequenceSource {
 public:
  explicit SampledSequences(const SamplingOptions& options)
      : options_(options),
        vocabulary_(options.prior.vocabulary),
        parents_(options.prior.parents),
        entries_(power(vocabulary_, static_cast<Index>(parents_.size()) + 1, "kernel entries")) {
    if (std::holds_alternative<KernelMixture>(options.prior.family))
      mixture_.emplace(mixture_components(options.prior, options.seed));
  }

  Index vocabulary() const override { return vocabulary_; }
  Index length() const override { return options_.length; }
  Index count() const override { return options_.count; }
  std::vector<Index> parents() const override { return parents_; }

  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    std::vector<double> scratch;
    const std::span<const double> kernel = kernel_of(chain, scratch);
    draw_all(chain, kernel, tokens);
    certain_labels(tokens, vocabulary_, targets);
    if (options_.labels == Labels::sampled) return;
    const std::size_t d = size(vocabulary_), rows = targets.size() / d;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::span<const Token> prefix = tokens.first(tokens.size() - (rows - 1 - row));
      const std::span<double> law = targets.subspan(row * d, d);
      if (options_.labels == Labels::conditional)
        conditional_row(kernel, prefix, law);
      else
        posterior_law(prefix, law);
    }
  }

  bool conditional_law(Index chain, std::span<const Token> tokens,
                       std::span<double> law) const override {
    std::vector<double> scratch;
    return conditional_row(kernel_of(chain, scratch), tokens, law);
  }

  Posterior posterior_law(std::span<const Token> tokens, std::span<double> law) const override {
    const bool dirichlet = std::holds_alternative<DirichletRows>(options_.prior.family);
    if (!mixture_ && !dirichlet) return Posterior::unknown;
    if (is_first(tokens))
      uniform_law(law);
    else if (mixture_)
      mixture_->label_law(tokens, law, replaced());
    else
      posterior_label_law(tokens, parents_, options_.prior.alpha, law, replaced());
    const bool exact =
        options_.initial_law == InitialLaw::uniform && (mixture_ || options_.prior.floor == 0.0);
    return exact ? Posterior::exact : Posterior::near;
  }

 private:
  // Whether the last token is one of x_1 … x_{r_n}.
  bool is_first(std::span<const Token> tokens) const {
    return !parents_.empty() && static_cast<Index>(tokens.size()) <= parents_.back();
  }
  static void uniform_law(std::span<double> law) {
    std::fill(law.begin(), law.end(), 1.0 / static_cast<double>(law.size()));
  }

  // Kernel [dⁿ, d] of a chain; drawn into `scratch` unless it is given.
  std::span<const double> kernel_of(Index chain, std::vector<double>& scratch) const {
    if (const Kernels* given = given_kernels(options_.prior))
      return given->of_chain(chain % given->count);
    scratch.resize(size(entries_));
    draw_kernel(options_.prior, options_.seed, options_.purpose, chain, scratch);
    return scratch;
  }

  // x_1 … x_{L+1} (1.2), (1.8).
  void draw_all(Index chain, std::span<const double> kernel, std::span<Token> tokens) const {
    draw_initial(chain, kernel, tokens);
    Stream stream(options_.seed, options_.purpose, Variate::tokens, chain);
    const TokenLoop loop(kernel, vocabulary_, parents_);
    if (options_.initial_law == InitialLaw::burn_in) drop_tokens(loop, stream, tokens);
    loop.draw(stream, tokens);
    if (options_.query == QueryLaw::uniform) replace_query(chain, kernel, tokens);
  }

  // Number of tokens before the label that the kernel did not draw (1.5).
  Index replaced() const {
    return options_.query == QueryLaw::chain || parents_.empty() ? 0 : parents_.back();
  }

  void replace_query(Index chain, std::span<const double> kernel, std::span<Token> tokens) const {
    Stream stream(options_.seed, options_.purpose, Variate::query, chain);
    for (Index l = options_.length - replaced(); l < options_.length; ++l) {
      tokens[size(l)] = static_cast<Token>(stream.uniform() * static_cast<double>(vocabulary_));
    }
    std::vector<double> law(size(vocabulary_));
    conditional_row(kernel, tokens, law);
    tokens[size(options_.length)] = static_cast<Token>(categorical(stream.uniform(), law));
  }

  // Draws x_1 … x_{r_n} into the front of tokens.
  void draw_initial(Index chain, std::span<const double> kernel, std::span<Token> tokens) const {
    const Index longest = parents_.empty() ? 0 : parents_.back();
    if (longest == 0) return;
    Stream stream(options_.seed, options_.purpose, Variate::initial, chain);
    if (options_.initial_law != InitialLaw::stationary) {
      for (Index l = 0; l < longest; ++l) {
        tokens[size(l)] = static_cast<Token>(stream.uniform() * static_cast<double>(vocabulary_));
      }
      return;
    }
    const std::vector<double> law = stationary_window_law(kernel, vocabulary_, parents_, longest);
    const Index window = categorical(stream.uniform(), law);
    const std::span<Token> initial = tokens.first(size(longest));
    digits_of(static_cast<std::uint64_t>(window), static_cast<std::uint64_t>(vocabulary_), initial);
    std::ranges::reverse(initial);  // a window begins with its latest token
  }

  // Replaces x_1 … x_{r_n} by the tokens that come burn_in later, drawn in blocks.
  void drop_tokens(const TokenLoop& loop, Stream& stream, std::span<Token> tokens) const {
    const Index longest = parents_.empty() ? 0 : parents_.back();
    std::vector<Token> stretch(size(longest + dropped_at_once));
    std::copy_n(tokens.begin(), longest, stretch.begin());
    for (Index dropped = 0; dropped < options_.burn_in;) {
      const Index now = std::min(dropped_at_once, options_.burn_in - dropped);
      loop.draw(stream, std::span(stretch).first(size(longest + now)));
      std::copy_n(stretch.begin() + now, longest, stretch.begin());
      dropped += now;
    }
    std::copy_n(stretch.begin(), longest, tokens.begin());
  }

  // Writes the law of the last token given those before it; false if it is not known.
  bool conditional_row(std::span<const double> kernel, std::span<const Token> tokens,
                       std::span<double> law) const {
    if (is_first(tokens)) {
      const bool known = options_.initial_law == InitialLaw::uniform;
      if (known) uniform_law(law);
      return known;
    }
    const Index last = static_cast<Index>(tokens.size()) - 1;
    const Index context = context_at(tokens, last, vocabulary_, parents_);
    const auto row = kernel.subspan(size(context * vocabulary_), size(vocabulary_));
    std::copy(row.begin(), row.end(), law.begin());
    return true;
  }

  SamplingOptions options_;
  Index vocabulary_;
  std::vector<Index> parents_;
  Index entries_;  // of a kernel
  std::optional<MixturePosterior> mixture_;
};

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

namespace {

// Faults of posterior labels (1.4).
void check_posterior(const SamplingOptions& options, ErrorList& errors) {
  const auto refuse = [&](const Phrase& why) {
    errors.add(Fault{Field::labels, "posterior", why, ""});
  };
  const PriorFamily& family = options.prior.family;
  if (std::holds_alternative<GivenKernels>(family)) {
    refuse(Phrase("not known for given kernels; allowed are conditional and sampled"));
    return;
  }
  const bool mixture = std::holds_alternative<KernelMixture>(family);
  if (!mixture && !std::holds_alternative<DirichletRows>(family)) {
    refuse(phrase("not known with {} {}; allowed are conditional and sampled", Field::prior,
                  to_string(family)));
    return;
  }
  if (options.prior.floor > 0.0 && !mixture) {
    refuse(phrase("not exact with {} {}; allowed with {} 0 only", Field::floor, options.prior.floor,
                  Field::floor));
  }
  if (options.initial_law != InitialLaw::uniform) {
    const char* law = options.initial_law == InitialLaw::burn_in ? "burn-in" : "stationary";
    refuse(phrase("not exact with {} {}; allowed with {} uniform only", Field::initial_law, law,
                  Field::initial_law));
  }
}

// Faults of a stationary initial law.
void check_stationary(const Prior& prior, ErrorList& errors) {
  const Index d = prior.vocabulary, longest = prior.parents.empty() ? 0 : prior.parents.back();
  Index states = 1;  // d^{r_n}
  for (Index i = 0; i < longest && states <= max_stationary_states; ++i) states *= d;
  if (states > max_stationary_states) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents),
                     "the stationary initial law needs {}^{} = {}^{} states: must not exceed {} "
                     "({} uniform and burn-in:B have no such limit)",
                     Field::vocabulary, longest, d, longest, max_stationary_states,
                     Field::initial_law));
  }
  const auto* fixed = std::get_if<FixedKernel>(&prior.family);
  if (fixed != nullptr && prior.floor == 0.0 && states <= max_stationary_states) {
    const Index classes = closed_classes(fixed->probabilities, d, prior.parents);
    if (classes != 1) {
      errors.add(fault(Field::prior, to_string(prior.family),
                       "has {} closed classes of states: must be one for a stationary initial law; "
                       "{} uniform needs none",
                       classes, Field::initial_law));
    }
  }
  const auto* permutation = std::get_if<NoisyPermutation>(&prior.family);
  if (permutation != nullptr && permutation->noise == 0.0 && prior.floor == 0.0) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "must have noise for a stationary initial law, since permutations have "
                     "several; {} uniform needs none",
                     Field::initial_law));
  }
}

}  // namespace

ErrorList sampling_errors(const SamplingOptions& options) {
  ErrorList errors = prior_errors(options.prior);
  const bool prior_is_good = errors.empty();
  const std::vector<Index>& parents = options.prior.parents;
  const Index longest = parents.empty() ? 0 : parents.back();

  if (options.count < 1) {
    errors.add(fault(Field::chains, options.count, "must be at least 1"));
  }
  if (options.length < 1 || options.length > max_length) {
    errors.add(fault(Field::length, options.length, "must be between 1 and {}", max_length));
  } else if (prior_is_good && options.length < longest) {
    errors.add(fault(Field::length, options.length, "must be at least the longest parent lag, {}",
                     longest));
  }
  if (options.initial_law == InitialLaw::burn_in &&
      (options.burn_in < 1 || options.burn_in > max_length)) {
    errors.add(fault(Field::initial_law, fmt::format("burn-in:{}", options.burn_in),
                     "B must be between 1 and {}", max_length));
  }
  if (options.labels == Labels::posterior) check_posterior(options, errors);
  if (prior_is_good && options.initial_law == InitialLaw::stationary) {
    check_stationary(options.prior, errors);
  }
  return errors;
}

std::unique_ptr<SequenceSource> sample_prior(const SamplingOptions& options) {
  sampling_errors(options).throw_if_any();
  return std::make_unique<SampledSequences>(options);
}

std::unique_ptr<SequenceSource> sample_kernels(std::shared_ptr<const Kernels> kernels,
                                               const SamplingOptions& options) {
  validate(*kernels, "kernels");
  SamplingOptions with_kernels = options;
  with_kernels.prior = prior_of(kernels);
  sampling_errors(with_kernels).throw_if_any();
  if (options.initial_law == InitialLaw::stationary) {
    const Index used = std::min(options.count, kernels->count);
    for (Index chain = 0; chain < used; ++chain) {
      const Index classes =
          closed_classes(kernels->of_chain(chain), kernels->vocabulary, kernels->parents);
      if (classes != 1) {
        throw InputError(
            fault(fmt::format("kernels, chain {}", chain), "",
                  "has {} closed classes of states: must be one for {} stationary, since its "
                  "stationary law is not unique",
                  classes, Field::initial_law));
      }
    }
  }
  return std::make_unique<SampledSequences>(with_kernels);
}

std::unique_ptr<SequenceSource> sample_task(const SamplingOptions& options) {
  return options.task == Task::recall ? sample_recall(options) : sample_prior(options);
}

ErrorList task_errors(const SamplingOptions& options) {
  return options.task == Task::recall ? recall_errors(options) : sampling_errors(options);
}

double drawing_memory(const SamplingOptions& options) {
  if (options.task == Task::recall) return 0.0;
  const std::vector<Index>& parents = options.prior.parents;
  const double d = static_cast<double>(options.prior.vocabulary),
               entries = std::pow(d, static_cast<double>(parents.size()) + 1.0);
  const auto* mixture = std::get_if<KernelMixture>(&options.prior.family);
  const double kernels =
      mixture == nullptr ? 1.0 : 1.0 + 2.0 * static_cast<double>(mixture->components);
  const double kernel = 8.0 * kernels * entries;
  if (options.initial_law != InitialLaw::stationary || parents.empty()) return kernel;
  const double states = std::pow(d, static_cast<double>(parents.back()));
  return kernel + stationary_memory(states);
}

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

Sequences collect(const SequenceSource& source) {
  Sequences all;
  all.vocabulary = source.vocabulary();
  all.length = source.length();
  all.count = source.count();
  all.parents = source.parents();
  const Index columns = all.length + 1;
  if (all.count > (Index{1} << 62) / columns) {
    throw InputError(fault(Field::chains, all.count, "with {} {} too many tokens for memory",
                           Field::length, all.length));
  }
  all.tokens.resize(size(all.count * columns));
  all.targets.resize(size(all.count * all.vocabulary));
  parallel_ranges(all.count, chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain) {
      source.draw(chain, {all.tokens.data() + chain * columns, size(columns)},
                  {all.targets.data() + chain * all.vocabulary, size(all.vocabulary)});
    }
  });
  return all;
}

void certain_labels(std::span<const Token> tokens, Index vocabulary, std::span<double> targets) {
  const std::size_t d = size(vocabulary), rows = targets.size() / d;
  const std::span<const Token> labels = tokens.last(rows);
  std::fill(targets.begin(), targets.end(), 0.0);
  for (std::size_t row = 0; row < rows; ++row) targets[row * d + labels[row]] = 1.0;
}

void posterior_label_law(std::span<const Token> tokens, std::span<const Index> parents,
                         double alpha, std::span<double> law, Index replaced) {
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const Index longest = parents.empty() ? 0 : parents.back();
  std::fill(law.begin(), law.end(), 0.0);
  double occurrences = 0.0;  // n_z
  for (Index l = longest; l < length - replaced; ++l) {
    const bool same_context = std::all_of(parents.begin(), parents.end(), [&](Index lag) {
      return tokens[size(l - lag)] == tokens[size(length - lag)];
    });
    if (!same_context) continue;
    law[tokens[size(l)]] += 1.0;
    occurrences += 1.0;
  }
  const double unit = std::max(alpha, 1.0);  // d·alpha may overflow
  const double total = occurrences / unit + static_cast<double>(law.size()) * (alpha / unit);
  for (double& entry : law) entry = (entry / unit + alpha / unit) / total;
}

}  // namespace gihflow
