#include "gihflow/chain/sequence.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "chain/token_loop.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/stationary.hpp"
#include "support/input_errors.hpp"
#include "support/label_calibration.hpp"
#include "support/statistics.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

struct Drawn {
  std::vector<Token> tokens;
  std::vector<double> targets;
};

Drawn draw(const SequenceSource& source, Index chain) {
  Drawn drawn{std::vector<Token>(size(source.length() + 1)),
              std::vector<double>(size(source.vocabulary()))};
  source.draw(chain, drawn.tokens, drawn.targets);
  return drawn;
}

// x_1 … x_{L+1} from the definition (1.2), one categorical draw after the other.
std::vector<Token> slow_sequence(const SamplingOptions& options, Index chain) {
  const Prior& prior = options.prior;
  const Index d = prior.vocabulary;
  const Index longest = prior.parents.empty() ? 0 : prior.parents.back();
  std::vector<double> kernel(
      size(power(d, static_cast<Index>(prior.parents.size()) + 1, "kernel")));
  draw_kernel(prior, options.seed, options.purpose, chain, kernel);

  std::vector<Token> x;
  Stream initial(options.seed, options.purpose, Variate::initial, chain);
  if (options.initial_law == InitialLaw::uniform) {
    const std::vector<double> flat(size(d), 1.0 / static_cast<double>(d));
    for (Index l = 0; l < longest; ++l) {
      x.push_back(static_cast<Token>(categorical(initial.uniform(), flat)));
    }
  } else if (longest > 0) {
    const auto law = stationary_window_law(kernel, d, prior.parents, longest);
    Index window = categorical(initial.uniform(), law);
    for (Index l = 0; l < longest; ++l, window /= d) x.push_back(static_cast<Token>(window % d));
  }
  Stream stream(options.seed, options.purpose, Variate::tokens, chain);
  while (static_cast<Index>(x.size()) < options.length + 1) {
    Index context = 0;
    for (const Index lag : prior.parents) context = context * d + x[x.size() - size(lag)];
    const std::span<const double> row{kernel.data() + context * d, size(d)};
    x.push_back(static_cast<Token>(categorical(stream.uniform(), row)));
  }
  return x;
}

std::shared_ptr<Kernels> one_kernel(Index d, std::vector<Index> parents,
                                    std::vector<double> values) {
  auto kernels = std::make_shared<Kernels>();
  kernels->vocabulary = d;
  kernels->parents = std::move(parents);
  kernels->count = 1;
  kernels->values = std::move(values);
  return kernels;
}

std::string digits(std::span<const Token> tokens) {
  std::string text;
  for (const Token token : tokens) text += static_cast<char>('0' + token);
  return text;
}

}  // namespace

TEST_CASE("the sequences of a seed are the ones they have always been") {
  SamplingOptions options;
  options.prior.alpha = 1.0;
  options.length = 40;
  options.count = 3;
  options.seed = 2024;
  const Sequences stationary = collect(*sample_prior(options));
  options.initial_law = InitialLaw::uniform;
  const Sequences uniform = collect(*sample_prior(options));
  CHECK(digits(stationary.tokens_of(0)) == "12120110000000110221200110211102201211021");
  CHECK(digits(stationary.tokens_of(2)) == "01112112020022020222101121101211220211122");
  CHECK(digits(uniform.tokens_of(0)) == "20110221000000110221200110211102201211021");
  CHECK(digits(uniform.tokens_of(2)) == "01112112020022020222101121101211220211122");
  CHECK(close(uniform.targets_of(2)[0], 0.22947442255324874, 27));
  CHECK(close(uniform.targets_of(2)[1], 0.68070039166297602, 27));
}

TEST_CASE(
    "sequences follow the definition draw by draw, for every kind of parents and vocabulary") {
  for (const Index d : {2, 3, 4, 5, 9, 10, 40}) {
    for (const std::vector<Index>& parents :
         {std::vector<Index>{}, {1}, {1, 2}, {2}, {2, 3}, {1, 3}}) {
      for (const InitialLaw law : {InitialLaw::uniform, InitialLaw::stationary}) {
        const Index states = power(d, parents.empty() ? 0 : parents.back(), "states");
        if (law == InitialLaw::stationary && states > 125) continue;
        SamplingOptions options;
        options.prior = {d, parents, 0.3, 0.0};
        options.initial_law = law;
        options.length = 1100;
        options.count = 8;
        options.purpose = Purpose::test;
        const auto source = sample_prior(options);
        CAPTURE(d);
        CAPTURE(to_string_lags(parents));
        for (Index chain = 0; chain < 2; ++chain)
          CHECK(draw(*source, chain).tokens == slow_sequence(options, chain));
        // Several together, the last of them one by one.
        const std::size_t columns = size(options.length + 1);
        std::vector<Token> tokens(7 * columns);
        std::vector<double> targets(size(7 * d));
        source->draw_chains(1, 7, tokens, targets);
        for (std::size_t i = 0; i < 7; ++i) {
          const Index chain = static_cast<Index>(i) + 1;
          const auto row = tokens.begin() + static_cast<Index>(i * columns);
          CHECK(std::vector<Token>(row, row + options.length + 1) == slow_sequence(options, chain));
          const auto own = targets.begin() + static_cast<Index>(i) * d;
          CHECK(std::vector<double>(own, own + d) == draw(*source, chain).targets);
        }
      }
    }
  }
}

TEST_CASE("label laws of all tokens are those of the prefixes") {
  SamplingOptions options;
  options.prior.parents = {1, 3};
  options.length = 12;
  std::vector<Token> tokens(13);
  std::vector<double> laws(36), last(3), law(3);
  for (const Labels labels : {Labels::conditional, Labels::sampled, Labels::posterior}) {
    for (const InitialLaw initial : {InitialLaw::uniform, InitialLaw::stationary}) {
      if (labels == Labels::posterior && initial == InitialLaw::stationary) continue;
      options.labels = labels;
      options.initial_law = initial;
      const auto source = sample_prior(options);
      source->draw(5, tokens, laws);
      const Drawn alone = draw(*source, 5);
      CHECK(tokens == alone.tokens);
      CHECK(std::equal(alone.targets.begin(), alone.targets.end(), laws.end() - 3));
      for (std::size_t l = 1; l <= 12; ++l) {  // tokens[l] from those before it
        const std::span<const Token> prefix = std::span(tokens).first(l + 1);
        std::fill(law.begin(), law.end(), 0.0);
        law[tokens[l]] = 1.0;
        if (labels == Labels::conditional) {
          // Of x_2 and x_3 no kernel tells.
          CHECK(source->conditional_law(5, prefix, law) ==
                (l >= 3 || initial == InitialLaw::uniform));
        } else if (labels == Labels::posterior) {
          if (l >= 3)
            posterior_label_law(prefix, options.prior.parents, options.prior.alpha, law);
          else
            std::fill(law.begin(), law.end(), 1.0 / 3.0);
        }
        CHECK(std::equal(law.begin(), law.end(), laws.begin() + 3 * static_cast<Index>(l - 1)));
      }
    }
  }
}

TEST_CASE("a longer sequence of a chain begins with the shorter one") {
  SamplingOptions options;
  options.prior.parents = {1, 3};
  options.length = 30;
  const auto shorter = draw(*sample_prior(options), 4).tokens;
  for (const Index length : {31, 100, 1000, 5000}) {
    options.length = length;
    const auto longer = draw(*sample_prior(options), 4).tokens;
    CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  }
}

TEST_CASE("a chain does not depend on how many there are, nor on threads or order") {
  SamplingOptions options;
  options.count = 70;
  options.length = 20;
  const Sequences few = collect(*sample_prior(options));
  options.count = 301;
  const auto source = sample_prior(options);
  for (const int count : {1, 2, 5}) {
    const Threads use(count);
    const Sequences many = collect(*source);
    CHECK(std::equal(few.tokens.begin(), few.tokens.end(), many.tokens.begin()));
    CHECK(std::equal(few.targets.begin(), few.targets.end(), many.targets.begin()));
    for (Index chain = many.count - 1; chain >= 0; chain -= 50) {
      const Drawn alone = draw(*source, chain);
      CHECK(std::ranges::equal(alone.tokens, many.tokens_of(chain)));
      CHECK(std::ranges::equal(alone.targets, many.targets_of(chain)));
    }
  }
  // Of few chains kernels and tokens are kept, of many they are drawn again each time.
  REQUIRE(kept_chains_memory(options, options.count) > 0.0);
  options.count = 10'000'000;
  REQUIRE(kept_chains_memory(options, options.count) == 0.0);
  const auto afresh = sample_prior(options);
  for (const Index chain : {0, 7, 300}) {
    const Drawn kept = draw(*source, chain), again = draw(*afresh, chain);
    CHECK(kept.tokens == again.tokens);
    CHECK(kept.targets == again.targets);
    std::vector<double> law(3), expected(3);
    CHECK(source->conditional_law(chain, kept.tokens, law));
    CHECK(afresh->conditional_law(chain, kept.tokens, expected));
    CHECK(law == expected);
  }
  options.count = 301;
  options.purpose = Purpose::validation;
  const Sequences fresh = collect(*sample_prior(options));
  Index equal = 0;
  for (Index chain = 0; chain < few.count; ++chain) {
    equal += std::ranges::equal(few.tokens_of(chain), fresh.tokens_of(chain));
  }
  // Nearly deterministic chains can give equal sequences, few of 70 do.
  CHECK(equal < 35);
}

TEST_CASE("kept tokens are copied where those of all chains asked for are there") {
  SamplingOptions options;
  options.count = 8;
  options.length = 30;
  options.query = QueryLaw::uniform;
  const Sequences expected = collect(*sample_prior(options));
  for (Index first = 0; first < 8; ++first) {
    const auto source = sample_prior(options);
    CHECK(draw(*source, first).tokens == draw(*source, first).tokens);
    const Sequences all = collect(*source);
    CHECK(all.tokens == expected.tokens);
    CHECK(all.targets == expected.targets);
  }
}

TEST_CASE("a kernel drawn last is used for the chain and the source that it is of, and no other") {
  SamplingOptions options;
  options.length = 20;
  options.count = 100'000;  // too many to be kept
  options.seed = 3;
  const auto source = sample_prior(options);
  options.seed = 4;
  const auto other = sample_prior(options);
  const auto law_of = [&](const SequenceSource& of, Index chain, std::span<const Token> tokens) {
    std::vector<double> law(size(of.vocabulary()));
    CHECK(of.conditional_law(chain, tokens, law));
    return law;
  };
  const std::size_t columns = size(options.length + 1), d = size(source->vocabulary());
  for (const Index count : {1, 3, 4, 6}) {
    std::vector<Token> tokens(size(count) * columns);
    std::vector<double> targets(size(count) * d);
    source->draw_chains(10, count, tokens, targets);
    for (const Index ask : {10, 11, 12, 13, 9, 15, 10}) {
      const Drawn expected = draw(*sample_prior(options), ask);
      CHECK(law_of(*other, ask, expected.tokens) == expected.targets);
      source->draw_chains(10, count, tokens, targets);
      for (std::size_t i = 0; i < size(count); ++i)
        CHECK(
            std::ranges::equal(law_of(*source, 10 + static_cast<Index>(i),
                                      std::span<const Token>(tokens).subspan(i * columns, columns)),
                               std::span(targets).subspan(i * d, d)));
    }
  }
}

TEST_CASE("transitions have the frequencies of the kernel, the label's included") {
  const auto kernel = one_kernel(3, {1, 3}, [] {
    std::vector<double> values(27);
    draw_kernel({3, {1, 3}, 2.0, 0.0}, 6, Purpose::test, 0, values);
    return values;
  }());
  SamplingOptions options;
  options.purpose = Purpose::test;
  options.length = 20'000;
  options.count = 10;
  const Sequences drawn = collect(*sample_kernels(kernel, options));
  std::vector<double> counts(27, 0.0), expected(27, 0.0);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain);
    for (std::size_t l = 3; l < x.size(); ++l) {
      const std::size_t context = size(x[l - 1] * 3 + x[l - 3]);
      counts[3 * context + x[l]] += 1.0;
      for (std::size_t e = 0; e < 3; ++e)
        expected[3 * context + e] += kernel->values[3 * context + e];
    }
  }
  CHECK(chi_square_p_value(counts, expected, 9) > least_p_value);
}

TEST_CASE("under the stationary initial law every window of tokens has the stationary law") {
  const auto kernel = one_kernel(2, {1, 3}, {0.9, 0.1, 0.3, 0.7, 0.6, 0.4, 0.15, 0.85});
  SamplingOptions options;
  options.purpose = Purpose::test;
  options.length = 9;
  options.count = 40'000;
  const Sequences drawn = collect(*sample_kernels(kernel, options));
  const auto law = stationary_window_law(kernel->values, 2, kernel->parents, 4);
  for (const std::size_t last : {3u, 6u, 9u}) {  // windows x_1 … x_4, x_4 … x_7, x_7 … x_10
    std::vector<double> counts(16, 0.0), expected(16);
    for (Index chain = 0; chain < drawn.count; ++chain) {
      const auto x = drawn.tokens_of(chain);
      counts[size(8 * x[last] + 4 * x[last - 1] + 2 * x[last - 2] + x[last - 3])] += 1.0;
    }
    for (std::size_t i = 0; i < 16; ++i) expected[i] = law[i] * static_cast<double>(drawn.count);
    CHECK(chi_square_p_value(counts, expected) > least_p_value);
  }
}

TEST_CASE("under the uniform initial law the first tokens are uniform") {
  SamplingOptions options;
  options.prior = {3, {2}, 0.1, 0.0};
  options.initial_law = InitialLaw::uniform;
  options.purpose = Purpose::test;
  options.length = 2;
  options.count = 20'000;
  const Sequences drawn = collect(*sample_prior(options));
  std::vector<double> counts(9, 0.0);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain);
    counts[size(3 * x[0] + x[1])] += 1.0;
  }
  const std::vector<double> expected(9, static_cast<double>(drawn.count) / 9.0);
  CHECK(chi_square_p_value(counts, expected) > least_p_value);
}

TEST_CASE("tokens of probability zero never come") {
  // After 0 comes 1 or 2, after 1 comes 2, after 2 comes 0.
  const auto kernel = one_kernel(3, {1}, {0.0, 0.5, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0});
  SamplingOptions options;
  options.length = 5000;
  options.count = 3;
  const Sequences drawn = collect(*sample_kernels(kernel, options));
  Index impossible = 0;
  for (Index chain = 0; chain < 3; ++chain) {
    const auto x = drawn.tokens_of(chain);
    for (std::size_t l = 1; l < x.size(); ++l) {
      if (kernel->values[size(3 * x[l - 1] + x[l])] == 0.0) ++impossible;
    }
  }
  CHECK(impossible == 0);
}

TEST_CASE("a row that sums to less than 1 gives what is left to its last possible token") {
  // Rounding leaves a gap of some 1e-16 that no test would ever hit; this one is of 0.2.
  for (const Index d : {3, 20}) {
    std::vector<double> row(size(d), 0.0);
    row[0] = 0.5;
    row[1] = 0.3;
    Stream stream(1, Purpose::test, Variate::tokens, 0);
    std::vector<Token> tokens(1000);
    TokenLoop(row, d, {}).draw(stream, tokens);
    const auto zeros = std::count(tokens.begin(), tokens.end(), 0);
    CHECK(zeros + std::count(tokens.begin(), tokens.end(), 1) == 1000);
    CHECK(std::abs(static_cast<double>(zeros) - 500.0) < 3.9 * std::sqrt(250.0));  // p = 1e-4
  }
}

TEST_CASE("given kernels are used in turn, each time with draws of its own") {
  auto kernels = std::make_shared<Kernels>();
  kernels->vocabulary = 2;
  kernels->parents = {};
  kernels->count = 2;
  kernels->values = {0.5, 0.5, 1.0, 0.0};
  SamplingOptions options;
  options.length = 60;
  options.count = 4;
  const auto source = sample_kernels(kernels, options);
  const std::vector<Token> zeros(61, 0);
  CHECK(draw(*source, 1).tokens == zeros);
  CHECK(draw(*source, 3).tokens == zeros);
  CHECK(draw(*source, 0).tokens != draw(*source, 2).tokens);
  CHECK(draw(*source, 2).targets == std::vector<double>{0.5, 0.5});
}

TEST_CASE("conditional labels are the kernel's row, sampled ones the label itself") {
  const auto kernel = one_kernel(2, {2}, {0.9, 0.1, 0.3, 0.7});
  SamplingOptions options;
  options.length = 7;
  options.count = 50;
  const auto conditional = sample_kernels(kernel, options);
  options.labels = Labels::sampled;
  const auto sampled = sample_kernels(kernel, options);
  for (Index chain = 0; chain < 50; ++chain) {
    const Drawn a = draw(*conditional, chain), b = draw(*sampled, chain);
    CHECK(a.tokens == b.tokens);
    const std::size_t parent = a.tokens[5];  // x_6, two before x_8
    CHECK(a.targets ==
          std::vector<double>{kernel->values[2 * parent], kernel->values[2 * parent + 1]});
    CHECK(b.targets ==
          std::vector<double>{b.tokens[7] == 0 ? 1.0 : 0.0, b.tokens[7] == 1 ? 1.0 : 0.0});
    std::vector<double> law(2);
    CHECK(sampled->conditional_law(chain, b.tokens, law));
    CHECK(law == a.targets);
  }
}

TEST_CASE("posterior labels count what followed the label's context, by hand") {
  // x = 0 1 1 0 1 0 1 | label; context of the label (x_7) = 1, followed by 1, 0 and 0 before.
  const std::vector<Token> x{0, 1, 1, 0, 1, 0, 1, 0};
  std::vector<double> law(2);
  const std::vector<Index> one{1}, two{2}, both{1, 2};
  posterior_label_law(x, one, 0.5, law);
  CHECK(close(law[0], 2.5 / 4.0, 2));
  CHECK(close(law[1], 1.5 / 4.0, 2));
  // Lag 2: context x_6 = 0; x_1 = 0 → x_3 = 1, x_4 = 0 → x_6 = 0, and x_6 itself → the label, not
  // counted.
  posterior_label_law(x, two, 0.5, law);
  CHECK(law == std::vector<double>{0.5, 0.5});
  // Lags 1 and 2: context (1, 0): at l = 3 (x_3 = 1) and l = 6 (x_6 = 0).
  posterior_label_law(x, both, 1.0, law);
  CHECK(law == std::vector<double>{0.5, 0.5});
  // No parents: all of x_1 … x_7.
  posterior_label_law(x, {}, 0.5, law);
  CHECK(close(law[0], 3.5 / 8.0, 2));
  // A context never seen before leaves the prior mean.
  const std::vector<Token> unseen{0, 0, 0, 1, 1};
  posterior_label_law(unseen, one, 0.1, law);
  CHECK(law == std::vector<double>{0.5, 0.5});
  // Beside the largest and the smallest alpha nothing overflows to 0 or 0/0.
  for (const double alpha : {1e308, 5e-324}) {
    posterior_label_law(unseen, one, alpha, law);
    for (const double entry : law) CHECK(close(entry, 1.0 / static_cast<double>(law.size()), 4));
  }
}

TEST_CASE("posterior labels are the law of the label given the sequence") {
  const auto source = sample_prior(posterior_labelled({2, {1}, 0.4, 0.0}, 100'000));
  const Sequences drawn = collect(*source);
  for (Index chain = 0; chain < 100; ++chain) {
    std::vector<double> law(2);
    CHECK(source->posterior_law(drawn.tokens_of(chain), law) == Posterior::exact);
    CHECK(std::ranges::equal(law, drawn.targets_of(chain)));
  }
  check_calibrated(drawn);
}

TEST_CASE("all kinds of labels are the same on average") {
  // Differences between two kinds on the same chains, projected on token 0: mean 0.
  SamplingOptions options;
  options.prior = {3, {1, 2}, 0.5, 0.0};
  options.initial_law = InitialLaw::uniform;
  options.purpose = Purpose::test;
  options.length = 20;
  options.count = 20'000;
  const Sequences conditional = collect(*sample_prior(options));
  for (const Labels labels : {Labels::sampled, Labels::posterior}) {
    options.labels = labels;
    const Sequences other = collect(*sample_prior(options));
    CHECK(other.tokens == conditional.tokens);
    double sum = 0.0, squares = 0.0;
    for (Index chain = 0; chain < options.count; ++chain) {
      const double difference = other.targets_of(chain)[0] - conditional.targets_of(chain)[0];
      sum += difference;
      squares += difference * difference;
    }
    CHECK(squares > 0.0);
    CHECK(std::abs(sum) < 3.9 * std::sqrt(squares));  // p = 1e-4
  }
}

TEST_CASE("a posterior is called exact only where it is") {
  SamplingOptions options;
  options.length = 10;
  options.count = 1;
  std::vector<double> law{-1.0, -1.0, -1.0};
  const std::vector<double> untouched = law;
  const std::vector<Token> x(11, 0);
  const auto kernel = one_kernel(3, {}, {0.2, 0.3, 0.5});
  CHECK(sample_kernels(kernel, options)->posterior_law(x, law) == Posterior::unknown);
  options.prior.family = LazyCopy();
  CHECK(sample_prior(options)->posterior_law(x, law) == Posterior::unknown);
  CHECK(law == untouched);
  options.prior.family = DirichletRows();
  CHECK(sample_prior(options)->posterior_law(x, law) == Posterior::near);
  options.initial_law = InitialLaw::burn_in;
  options.burn_in = 1;
  CHECK(sample_prior(options)->posterior_law(x, law) == Posterior::near);
  options.initial_law = InitialLaw::uniform;
  options.prior.floor = 0.01;
  CHECK(sample_prior(options)->posterior_law(x, law) == Posterior::near);
  options.prior.floor = 0.0;
  CHECK(sample_prior(options)->posterior_law(x, law) == Posterior::exact);
}

TEST_CASE("sampling options are refused with one sentence per fault") {
  SamplingOptions options;
  options.labels = Labels::posterior;
  options.prior.floor = 0.05;
  options.prior.parents = {1, 4};
  options.length = 3;
  options.count = 0;
  CHECK(input_errors([&] { sample_prior(options); }) ==
        std::vector<std::string>{
            "chains 0: must be at least 1", "length 3: must be at least the longest parent lag, 4",
            "labels posterior: not exact with floor 0.05; allowed with floor 0 only",
            "labels posterior: not exact with initial-law stationary; allowed with initial-law "
            "uniform only"});
  options = {};
  options.length = 0;
  CHECK(input_error([&] { sample_prior(options); }) ==
        "length 0: must be between 1 and 4294967296");
  options = {};
  options.prior.parents = {1, 9};
  CHECK(input_error([&] { sample_prior(options); }) ==
        "parents 1,9: the stationary initial law needs vocabulary^9 = 3^9 states: must not "
        "exceed 4096 (initial-law uniform and burn-in:B have no such limit)");
  options.initial_law = InitialLaw::uniform;
  CHECK_NOTHROW(sample_prior(options));
  options.prior.alpha = -1.0;
  CHECK(input_error([&] { sample_prior(options); }) == "alpha -1: must be a finite number above 0");
}

TEST_CASE("given kernels are refused where they cannot be sampled") {
  SamplingOptions options;
  options.labels = Labels::posterior;
  const auto copying = one_kernel(2, {1}, {1.0, 0.0, 0.0, 1.0});
  CHECK(input_error([&] { sample_kernels(copying, options); }) ==
        "labels posterior: not known for given kernels; allowed are conditional and sampled");
  options.labels = Labels::sampled;
  CHECK(input_error([&] { sample_kernels(copying, options); }) ==
        "kernels, chain 0: has 2 closed classes of states: must be one for initial-law "
        "stationary, since its stationary law is not unique");
  options.initial_law = InitialLaw::uniform;
  CHECK_NOTHROW(sample_kernels(copying, options));
  options.prior.alpha = -1.0;  // nothing of the prior counts
  CHECK_NOTHROW(sample_kernels(copying, options));
  copying->values[0] = 0.5;
  CHECK(input_error([&] {
          sample_kernels(copying, options);
        }).starts_with("kernels, chain 0, context 0: the row sums to 0.5"));
}

TEST_CASE(
    "stored sequences come back as they are, with one-hot labels where there are no targets") {
  auto stored = std::make_shared<Sequences>();
  stored->vocabulary = 3;
  stored->length = 2;
  stored->count = 2;
  stored->tokens = {0, 1, 2, 2, 2, 0};
  CHECK(draw(*stored_sequences(stored), 0).targets == std::vector<double>{0, 0, 1});
  CHECK(draw(*stored_sequences(stored), 1).tokens == std::vector<Token>{2, 2, 0});
  stored->targets = {0.5, 0.25, 0.25, 0, 0, 1};
  const auto source = stored_sequences(stored);
  CHECK(draw(*source, 0).targets == std::vector<double>{0.5, 0.25, 0.25});
  std::vector<double> law(3);
  CHECK_FALSE(source->conditional_law(0, stored->tokens_of(0), law));
  const Sequences again = collect(*source);
  CHECK(again.tokens == stored->tokens);
  CHECK(again.targets == stored->targets);
}

TEST_CASE("a collected sample knows its parents") {
  SamplingOptions options;
  options.prior.parents = {1, 3};
  options.length = 5;
  options.count = 2;
  const Sequences drawn = collect(*sample_prior(options));
  CHECK(drawn.parents == std::vector<Index>{1, 3});
  CHECK(drawn.vocabulary == 3);
  CHECK(drawn.length == 5);
  CHECK(stored_sequences(std::make_shared<Sequences>(drawn))->parents() == drawn.parents);
}

TEST_CASE("stored sequences that cannot be right are refused with all their faults") {
  const auto errors = [](auto change) {
    auto stored = std::make_shared<Sequences>();
    stored->vocabulary = 3;
    stored->length = 2;
    stored->count = 2;
    stored->tokens = {0, 1, 2, 2, 2, 0};
    stored->targets = {0.5, 0.25, 0.25, 0, 0, 1};
    change(*stored);
    return input_errors([&] { stored_sequences(stored); });
  };
  using Messages = std::vector<std::string>;
  CHECK(errors([](Sequences&) {}).empty());
  CHECK(errors([](Sequences& s) {
          s.tokens[4] = 3;
          s.targets[5] = 0.9;
        }) == Messages{"tokens, chain 1, position 1, value 3: must be below the vocabulary, 3",
                       "targets, chain 1, sum 0.9: must be 1 within 1e-09"});
  CHECK(errors([](Sequences& s) {
          s.tokens.pop_back();
          s.targets.pop_back();
        }) == Messages{"tokens, 5 of them: must be 2 chains x 3",
                       "targets, 5 of them: must be 2 chains x 3"});
  CHECK(errors([](Sequences& s) { s.targets[0] = -0.5; }) ==
        Messages{"targets, chain 0, value -0.5: must be finite and not negative"});
  CHECK(errors([](Sequences& s) {
          s.vocabulary = 1;
          s.count = 0;
          s.length = 0;
        }) == Messages{"vocabulary 1: must be between 2 and 65535", "chains 0: must be at least 1",
                       "length 0: must be at least 1"});
}

TEST_CASE("a burn-in drops the first tokens after a uniform start") {
  for (const std::vector<Index>& parents : {std::vector<Index>{}, {1}, {1, 2}, {3}}) {
    for (const Index dropped : {1, 2, 100, 4096, 10'000}) {
      SamplingOptions options;
      options.prior.parents = parents;
      options.count = 2;
      options.initial_law = InitialLaw::uniform;
      options.length = 50 + dropped;
      const auto whole = draw(*sample_prior(options), 1).tokens;
      options.initial_law = InitialLaw::burn_in;
      options.burn_in = dropped;
      options.length = 50;
      const auto rest = draw(*sample_prior(options), 1).tokens;
      CHECK(std::equal(rest.begin(), rest.end(), whole.begin() + dropped));
    }
  }
}

TEST_CASE("a burn-in needs no stationary law, and some tokens to drop") {
  SamplingOptions options;
  options.prior = {100, {1, 9}, 0.1, 0.0};
  options.initial_law = InitialLaw::burn_in;
  CHECK(input_error([&] { sample_prior(options); }) ==
        "initial-law burn-in:0: B must be between 1 and 4294967296");
  options.burn_in = 50;
  options.labels = Labels::posterior;
  CHECK(input_error([&] { sample_prior(options); }) ==
        "labels posterior: not exact with initial-law burn-in; allowed with initial-law uniform "
        "only");
  options.labels = Labels::sampled;
  CHECK_NOTHROW(sample_prior(options));
}

TEST_CASE("what a family cannot do is refused with the reason") {
  SamplingOptions options;
  options.prior.family = NoisyPermutation{0.0};
  CHECK(input_error([&] { sample_prior(options); }) ==
        "prior permutation:0: must have noise for a stationary initial law, since permutations "
        "have several; initial-law uniform needs none");
  options.initial_law = InitialLaw::uniform;
  CHECK_NOTHROW(sample_prior(options));
  options.labels = Labels::posterior;
  CHECK(input_error([&] { sample_prior(options); }) ==
        "labels posterior: not known with prior permutation:0; allowed are conditional and "
        "sampled");
}

TEST_CASE("a uniform query asks for every context equally often, and the label follows it") {
  SamplingOptions options;
  options.prior = {3, {1, 3}, 0.2, 0.0};
  options.initial_law = InitialLaw::uniform;
  options.length = 12;
  options.count = 40'000;
  options.purpose = Purpose::test;
  const Sequences own = collect(*sample_prior(options));
  options.query = QueryLaw::uniform;
  const auto source = sample_prior(options);
  const Sequences drawn = collect(*source);
  std::vector<double> queries(27, 0.0);
  double excess = 0.0, variance = 0.0;
  std::vector<double> law(3);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain), y = own.tokens_of(chain);
    CHECK(std::equal(x.begin(), x.begin() + 9, y.begin()));  // the others are the chain's
    ++queries[size(9 * x[11] + 3 * x[10] + x[9])];
    std::vector<double> kernel(27);
    draw_kernel(options.prior, options.seed, options.purpose, chain, kernel);
    const auto row = std::span(kernel).subspan(size(3 * (3 * x[11] + x[9])), 3);
    CHECK(std::ranges::equal(row, drawn.targets_of(chain)));
    excess += (x[12] == 0) - row[0];
    variance += row[0] * (1.0 - row[0]);
  }
  CHECK(chi_square_p_value(queries, std::vector<double>(27, 40'000.0 / 27.0)) > least_p_value);
  CHECK(std::abs(excess) < 3.9 * std::sqrt(variance));
  // The posterior does not count what no kernel drew.
  const auto x = drawn.tokens_of(5);
  CHECK(source->posterior_law(x, law) == Posterior::exact);
  std::vector<Token> shorter(x.begin(), x.begin() + 9);
  std::vector<double> expected(3, 0.2);
  double total = 0.6;
  for (std::size_t l = 3; l < 9; ++l) {
    if (shorter[l - 1] != x[11] || shorter[l - 3] != x[9]) continue;
    expected[shorter[l]] += 1.0;
    total += 1.0;
  }
  for (std::size_t e = 0; e < 3; ++e) CHECK(close(law[e], expected[e] / total, 9));
}

TEST_CASE("posterior labels of uniform queries are calibrated") {
  SamplingOptions options = posterior_labelled({2, {1}, 0.3, 0.0}, 50'000);
  options.query = QueryLaw::uniform;
  check_calibrated(collect(*sample_prior(options)));
}
