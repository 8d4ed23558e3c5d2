#include "gihflow/chain/sequence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/make_fault.hpp"
#include "chain/kept_rows.hpp"
#include "chain/last_kernels.hpp"
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
        entries_(power(vocabulary_, static_cast<Index>(parents_.size()) + 1, "kernel entries")),
        kept_kernels_(given_kernels(options.prior) == nullptr ? options.count : 0, entries_),
        kept_tokens_(options.count, options.length + 1) {
    if (std::holds_alternative<KernelMixture>(options.prior.family))
      mixture_.emplace(mixture_components(options.prior, options.seed));
  }

  Index vocabulary() const override { return vocabulary_; }
  Index length() const override { return options_.length; }
  Index count() const override { return options_.count; }
  std::vector<Index> parents() const override { return parents_; }

  void draw(Index chain, std::span<Token> tokens, std::span<double> targets) const override {
    draw_chains(chain, 1, tokens, targets);
  }

  void draw_chains(Index first, Index count, std::span<Token> tokens,
                   std::span<double> targets) const override {
    const std::size_t columns = tokens.size() / size(count), numbers = targets.size() / size(count);
    const Index at_once =
        TokenLoop::can_take_turns(vocabulary_, parents_) ? TokenLoop::chains_in_turns : 1;
    for (Index begin = 0; begin < count; begin += at_once) {
      const Index now = std::min(at_once, count - begin);
      const std::vector<std::span<const double>> kernels = kernels_of(first + begin, now);
      const auto some = tokens.subspan(size(begin) * columns, size(now) * columns);
      if (!copy_tokens(first + begin, now, some)) draw_tokens(first + begin, kernels, some);
      for (std::size_t i = 0; i < kernels.size(); ++i)
        write_laws(kernels[i], some.subspan(i * columns, columns),
                   targets.subspan((size(begin) + i) * numbers, numbers));
    }
    LastKernels::of_thread().drop_large();
  }

  bool conditional_law(Index chain, std::span<const Token> tokens,
                       std::span<double> law) const override {
    const std::span<const double> last = LastKernels::of_thread().of_chain(source_, chain);
    return conditional_row(last.empty() ? kernels_of(chain, 1).front() : last, tokens, law);
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

  // Kernels [dⁿ, d] of consecutive chains, given, kept or drawn now, until this thread draws
  // others.
  std::vector<std::span<const double>> kernels_of(Index first, Index count) const {
    LastKernels& last = LastKernels::of_thread();
    const Kernels* const given = given_kernels(options_.prior);
    const std::span<double> room = last.room(given == nullptr ? count : 0, entries_);
    std::vector<std::span<const double>> kernels;
    for (Index chain = first; chain < first + count; ++chain) {
      if (given != nullptr) {
        kernels.push_back(given->of_chain(chain % given->count));
        continue;
      }
      const std::span<double> own = room.subspan(size((chain - first) * entries_), size(entries_));
      if (const auto kept = kept_kernels_.of_chain(chain); !kept.empty()) {
        std::ranges::copy(kept, own.begin());
      } else {
        draw_kernel(options_.prior, options_.seed, options_.purpose, chain, own);
        kept_kernels_.keep(chain, own);
      }
      kernels.push_back(own);
    }
    if (given == nullptr) last.drawn(source_, first, count);
    return kernels;
  }

  // Copies the tokens of consecutive chains into their rows; false where not all are kept.
  bool copy_tokens(Index first, Index count, std::span<Token> tokens) const {
    for (Index i = 0; i < count; ++i) {
      const std::span<const Token> kept = kept_tokens_.of_chain(first + i);
      if (kept.empty()) return false;
      std::ranges::copy(kept, tokens.begin() + i * static_cast<Index>(kept.size()));
    }
    return true;
  }

  // T of the last tokens into targets [K, d].
  void write_laws(std::span<const double> kernel, std::span<const Token> tokens,
                  std::span<double> targets) const {
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

  // x_1 … x_{L+1} (1.2), (1.8) of consecutive chains, each into its row.
  void draw_tokens(Index first, std::span<const std::span<const double>> kernels,
                   std::span<Token> tokens) const {
    const std::size_t columns = tokens.size() / kernels.size();
    const auto row = [&](std::size_t i) { return tokens.subspan(i * columns, columns); };
    std::vector<TokenLoop> loops;
    std::vector<Stream> streams;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      const Index chain = first + static_cast<Index>(i);
      draw_initial(chain, kernels[i], row(i));
      loops.emplace_back(kernels[i], vocabulary_, parents_);
      streams.emplace_back(options_.seed, options_.purpose, Variate::tokens, chain);
      if (options_.initial_law == InitialLaw::burn_in) drop_tokens(loops[i], streams[i], row(i));
    }
    if (static_cast<Index>(kernels.size()) == TokenLoop::chains_in_turns)
      TokenLoop::draw_in_turns(loops, streams, tokens);
    else
      for (std::size_t i = 0; i < kernels.size(); ++i) loops[i].draw(streams[i], row(i));
    for (std::size_t i = 0; options_.query == QueryLaw::uniform && i < kernels.size(); ++i)
      replace_query(first + static_cast<Index>(i), kernels[i], row(i));
    for (std::size_t i = 0; i < kernels.size(); ++i)
      kept_tokens_.keep(first + static_cast<Index>(i), row(i));
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
  std::uint64_t source_ = LastKernels::new_source();
  Index vocabulary_;
  std::vector<Index> parents_;
  Index entries_;  // of a kernel
  KeptRows<double> kept_kernels_;
  KeptRows<Token> kept_tokens_;
  std::optional<MixturePosterior> mixture_;
};

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

double kept_chains_memory(const SamplingOptions& options, Index count) {
  if (options.task == Task::recall) return 0.0;
  const double chains = static_cast<double>(count),
               tokens = KeptRows<Token>::memory(chains, static_cast<double>(options.length) + 1.0);
  if (given_kernels(options.prior) != nullptr) return tokens;
  const double entries = std::pow(static_cast<double>(options.prior.vocabulary),
                                  static_cast<double>(options.prior.parents.size()) + 1.0);
  return tokens + KeptRows<double>::memory(chains, entries);
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

void SequenceSource::draw_chains(Index first, Index count, std::span<Token> tokens,
                                 std::span<double> targets) const {
  const std::size_t columns = tokens.size() / size(count), numbers = targets.size() / size(count);
  for (Index i = 0; i < count; ++i)
    draw(first + i, tokens.subspan(size(i) * columns, columns),
         targets.subspan(size(i) * numbers, numbers));
}

Index drawn_together(Index length, Index targets) {
  constexpr double most_bytes = 0x1p21;  // of a core's own cache
  const double bytes = static_cast<double>(sizeof(Token)) * static_cast<double>(length + 1) +
                       static_cast<double>(sizeof(double)) * static_cast<double>(targets);
  return std::clamp(static_cast<Index>(most_bytes / bytes), Index{1}, TokenLoop::chains_in_turns);
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
    const Index chains = end - begin;
    source.draw_chains(
        begin, chains, {all.tokens.data() + begin * columns, size(chains * columns)},
        {all.targets.data() + begin * all.vocabulary, size(chains * all.vocabulary)});
  });
  return all;
}

}  // namespace gihflow
