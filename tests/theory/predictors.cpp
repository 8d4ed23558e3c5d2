#include "gihflow/theory/predictors.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "support/input_errors.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using Law = std::vector<double>;
using Lags = std::vector<Index>;

Model small_model(Boundary boundary) {
  Model model;
  model.vocabulary = 3;
  model.window = 2;
  model.heads = 2;
  model.boundary = boundary;
  return model;
}

// (8.1) from the definition: windows with blanks (−1) where a lag does not exist.
Law slow_gih(std::span<const Token> x, const Model& model, const Lags& lags) {
  const Index length = static_cast<Index>(x.size()) - 1;
  const auto before = [&](Index l, Index lag) -> int {  // x_{l−lag}, l 1-based
    return l - lag >= 1 ? x[static_cast<std::size_t>(l - lag - 1)] : -1;
  };
  Law match(static_cast<std::size_t>(model.vocabulary), 0.0), all = match;
  double matches = 0.0, admitted = 0.0;
  for (Index l = model.boundary == Boundary::masked ? model.widest() + 1 : 1; l <= length; ++l) {
    bool same = true;
    for (const Index lag : lags) {
      same = same && before(l, lag) >= 0 && before(l, lag) == before(length + 1, lag);
    }
    const std::size_t token = x[static_cast<std::size_t>(l - 1)];
    if (same) match[token] += 1.0;
    matches += same;
    all[token] += 1.0;
    admitted += 1.0;
  }
  for (double& p : match) p /= matches;
  for (double& p : all) p /= admitted;
  return matches > 0.0 ? match : all;
}

bool close_laws(const Law& a, const Law& b, double size) {
  bool same = a.size() == b.size();
  for (std::size_t e = 0; same && e < a.size(); ++e) same = close(a[e], b[e], size);
  return same;
}

Law posterior_predict(std::span<const Token> tokens, Index vocabulary, const Lags& parents,
                      double alpha) {
  Law law(static_cast<std::size_t>(vocabulary));
  posterior_label_law(tokens, parents, alpha, law);
  return law;
}

SamplingOptions options_for(Index count, Index length) {
  SamplingOptions options;
  options.purpose = Purpose::test;
  options.count = count;
  options.length = length;
  return options;
}

}  // namespace

TEST_CASE("GIH averages over the positions whose lags match the query's, by hand") {
  // l:                     1  2  3  4  5  6  label; query lags: x_6 = 1, x_5 = 0
  const std::vector<Token> x{0, 1, 2, 1, 0, 1, 0};
  const Model masked = small_model(Boundary::masked), partial = small_model(Boundary::partial);
  // Lag 1 = 1: positions 3 (x_3 = 2) and 5 (x_5 = 0).
  CHECK(gih_predict(x, masked, Lags{1}) == Law{0.5, 0.0, 0.5});
  CHECK(gih_predict(x, partial, Lags{1}) == Law{0.5, 0.0, 0.5});
  // Lag 2 = 0: position 3 alone (x_1 = 0); lags {1,2}: position 3.
  CHECK(gih_predict(x, masked, Lags{2}) == Law{0.0, 0.0, 1.0});
  CHECK(gih_predict(x, masked, Lags{1, 2}) == Law{0.0, 0.0, 1.0});
  // The empty set: all admitted positions, 3 … 6 = 2 1 0 1 or 1 … 6.
  CHECK(gih_predict(x, masked, Lags{}) == Law{0.25, 0.5, 0.25});
  CHECK(close_laws(gih_predict(x, partial, Lags{}), Law{2.0 / 6, 3.0 / 6, 1.0 / 6}, 2));
}

TEST_CASE("GIH is uniform over the admitted positions when nothing matches") {
  const std::vector<Token> x{0, 1, 1, 0, 2, 0};  // query lag 1 = 2, never before
  CHECK(close_laws(gih_predict(x, small_model(Boundary::masked), Lags{1}),
                   Law{1.0 / 3, 1.0 / 3, 1.0 / 3}, 2));
  CHECK(close_laws(gih_predict(x, small_model(Boundary::partial), Lags{1}),
                   Law{2.0 / 5, 2.0 / 5, 1.0 / 5}, 2));
}

TEST_CASE("a masked boundary leaves out positions that a partial one admits") {
  // Lag 1 = 0: position 2 (x_2 = 1) is admitted by the partial boundary alone; position 4 by both.
  const std::vector<Token> x{0, 1, 0, 2, 0, 1};
  CHECK(gih_predict(x, small_model(Boundary::partial), Lags{1}) == Law{0.0, 0.5, 0.5});
  CHECK(gih_predict(x, small_model(Boundary::masked), Lags{1}) == Law{0.0, 0.0, 1.0});
}

TEST_CASE("a lag that does not exist in the query matches nothing") {
  const std::vector<Token> x{1, 0};  // L = 1: the query has lag 1 only
  CHECK(gih_predict(x, small_model(Boundary::partial), Lags{2}) == Law{0.0, 1.0, 0.0});
  CHECK(gih_predict(x, small_model(Boundary::partial), Lags{1}) == Law{0.0, 1.0, 0.0});
}

TEST_CASE("GIH follows its definition for every boundary, head window, lag set and length") {
  Model model = small_model(Boundary::partial);
  model.heads = 3;
  for (const HeadWindows windows : {HeadWindows::shared, HeadWindows::shifted}) {
    model.head_windows = windows;
    for (const Boundary boundary : {Boundary::masked, Boundary::partial}) {
      model.boundary = boundary;
      for (const Index length : {2, 3, 5, 6, 20, 61}) {
        if (boundary == Boundary::masked && length <= model.widest()) continue;
        SamplingOptions options = options_for(8, length);
        options.prior.alpha = 0.7;
        const Sequences drawn = collect(*sample_prior(options));
        for (const Lags& lags : {Lags{}, {1}, {2}, {1, 2}, {1, 4}, {2, 3}, {1, 2, 3}}) {
          if (!lags.empty() && lags.back() > model.widest()) continue;
          for (Index chain = 0; chain < drawn.count; ++chain) {
            const auto x = drawn.tokens_of(chain);
            CHECK(close_laws(gih_predict(x, model, lags), slow_gih(x, model, lags), 2));
          }
        }
      }
    }
  }
}

TEST_CASE("the label is not read") {
  std::vector<Token> x{0, 1, 2, 1, 0, 1, 0};
  const Model model = small_model(Boundary::masked);
  const Law gih = gih_predict(x, model, Lags{1}), posterior = posterior_predict(x, 3, Lags{1}, 0.1);
  x.back() = 2;
  CHECK(gih_predict(x, model, Lags{1}) == gih);
  CHECK(posterior_predict(x, 3, Lags{1}, 0.1) == posterior);
}

TEST_CASE("the posterior predictor counts with the prior's weight, by hand") {
  const std::vector<Token> x{0, 1, 2, 1, 0, 1, 0};  // after 1: 2, 0
  CHECK(close_laws(posterior_predict(x, 3, Lags{1}, 0.5), Law{1.5 / 3.5, 0.5 / 3.5, 1.5 / 3.5}, 2));
}

TEST_CASE("lags and lengths that GIH cannot use are refused") {
  const std::vector<Token> x{0, 1, 2};
  const Model masked = small_model(Boundary::masked);
  CHECK(input_error([&] { gih_predict(x, masked, Lags{1}); }) ==
        "length 2: must be at least 3, above the widest lag, with boundary masked");
  CHECK(input_error([&] { gih_predict(x, small_model(Boundary::partial), Lags{3}); }) ==
        "parent set, lag 3: must be between 1 and the widest lag, 2");
  CHECK(input_error([&] { gih_predict({}, small_model(Boundary::partial), Lags{}); }) ==
        "length -1: must be at least 1");
}

TEST_CASE("baselines are the means and standard errors of the losses chain by chain") {
  SamplingOptions options = options_for(45, 30);
  for (const Readout readout : {Readout::log, Readout::softmax}) {
    Model model;
    model.readout = readout;
    const auto source = sample_prior(options);
    const Sequences drawn = collect(*source);
    const Lags lags{1, 2}, parents{1, 2};
    std::vector<double> gih, posterior, entropy;
    for (Index chain = 0; chain < drawn.count; ++chain) {
      const auto target = drawn.targets_of(chain);
      const Law y = gih_predict(drawn.tokens_of(chain), model, lags);
      const Law t = posterior_predict(drawn.tokens_of(chain), 3, parents, 0.1);
      double normalizer = 0.0;
      for (const double p : y) normalizer += std::exp(p);
      gih.push_back(0.0), posterior.push_back(0.0), entropy.push_back(0.0);
      for (std::size_t e = 0; e < 3; ++e) {
        const double read =
            readout == Readout::log ? (y[e] + 0.01) / 1.03 : std::exp(y[e]) / normalizer;
        gih.back() -= target[e] * std::log(read);
        posterior.back() -= target[e] * std::log(t[e]);
        entropy.back() -= target[e] * std::log(target[e]);
      }
    }
    const auto check = [&](const std::vector<double>& values, double mean, double error) {
      const double n = static_cast<double>(values.size());
      const double expected = std::accumulate(values.begin(), values.end(), 0.0) / n;
      double squares = 0.0;
      for (const double value : values) squares += (value - expected) * (value - expected);
      CHECK(close(mean, expected, n));
      CHECK(close(error, std::sqrt(squares / (n * (n - 1.0))), n));
    };
    const Baselines lines = baselines(*source, model, lags);
    check(gih, lines.gih_loss, lines.gih_loss_error);
    check(posterior, lines.posterior_loss.value(), lines.posterior_loss_error.value());
    check(entropy, lines.entropy_floor, lines.entropy_floor_error);

    const Baselines without =
        baselines(*stored_sequences(std::make_shared<Sequences>(drawn)), model, lags);
    CHECK_FALSE(without.posterior_loss.has_value());
    CHECK_FALSE(without.posterior_loss_error.has_value());
    CHECK(without.gih_loss == lines.gih_loss);
  }
}

TEST_CASE("baselines have the same bits for any number of threads") {
  const auto source = sample_prior(options_for(333, 40));
  const Model model;
  const Lags lags{1, 2};
  const auto compute = [&](int count) {
    const Threads use(count);
    return baselines(*source, model, lags);
  };
  const Baselines one = compute(1);
  for (const int count : {2, 3, 5}) {
    const Baselines many = compute(count);
    CHECK(many.gih_loss == one.gih_loss);
    CHECK(many.gih_loss_error == one.gih_loss_error);
    CHECK(many.posterior_loss == one.posterior_loss);
    CHECK(many.posterior_loss_error == one.posterior_loss_error);
    CHECK(many.entropy_floor == one.entropy_floor);
    CHECK(many.entropy_floor_error == one.entropy_floor_error);
  }
}

TEST_CASE("no predictor is below the floor, whatever the labels") {
  const Model model;
  const Lags lags{1, 2};
  SamplingOptions options = options_for(4000, 60);
  options.initial_law = InitialLaw::uniform;
  // The posterior predictor attains the Bayes floor: with posterior labels exactly.
  options.labels = Labels::posterior;
  const Baselines exact = baselines(*sample_prior(options), model, lags);
  CHECK(close(exact.posterior_loss.value(), exact.entropy_floor, 4000));
  CHECK(exact.gih_loss > exact.entropy_floor);
  // With the others the floor is the same number, and the losses scatter around theirs.
  for (const Labels labels : {Labels::conditional, Labels::sampled}) {
    options.labels = labels;
    const Baselines lines = baselines(*sample_prior(options), model, lags);
    CHECK(lines.entropy_floor == exact.entropy_floor);
    CHECK(std::abs(lines.posterior_loss.value() - exact.posterior_loss.value()) <
          4.0 * lines.posterior_loss_error.value());
    CHECK(std::abs(lines.gih_loss - exact.gih_loss) < 4.0 * lines.gih_loss_error);
  }
  // Under the stationary initial law the floor is the looser entropy of the kernels, for sampled
  // labels too.
  options.initial_law = InitialLaw::stationary;
  options.labels = Labels::sampled;
  const Baselines sampled = baselines(*sample_prior(options), model, lags);
  options.labels = Labels::conditional;
  const Baselines conditional = baselines(*sample_prior(options), model, lags);
  CHECK(sampled.entropy_floor == conditional.entropy_floor);
  CHECK(sampled.entropy_floor > 0.0);
  CHECK(sampled.entropy_floor < exact.entropy_floor);
  CHECK(conditional.posterior_loss.value() > conditional.entropy_floor);
}

TEST_CASE(
    "of given data the floor is the entropy of the targets, and one chain has no standard error") {
  auto stored = std::make_shared<Sequences>();
  stored->vocabulary = 2;
  stored->length = 4;
  stored->count = 1;
  stored->tokens = {0, 1, 0, 1, 1};
  stored->targets = {0.5, 0.5};
  Model model;
  model.vocabulary = 2;
  model.window = 2;
  const Baselines lines = baselines(*stored_sequences(stored), model, Lags{1});
  CHECK(close(lines.entropy_floor, std::log(2.0), 2));
  CHECK(std::isnan(lines.gih_loss_error));
  CHECK(std::isnan(lines.entropy_floor_error));
  stored->targets.clear();
  CHECK(baselines(*stored_sequences(stored), model, Lags{1}).entropy_floor == 0.0);
}

TEST_CASE("without smoothing a label that was never seen costs an infinite loss") {
  Model model;
  model.epsilon = 0.0;
  const Lags lags{1, 2};
  const auto source = sample_prior(options_for(50, 10));
  const Baselines lines = baselines(*source, model, lags);
  CHECK(lines.gih_loss == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(lines.gih_loss_error));
  CHECK(std::isfinite(lines.posterior_loss.value()));
}

TEST_CASE("baselines refuse sequences of another vocabulary") {
  SamplingOptions options = options_for(2, 10);
  Model model;
  model.vocabulary = 4;
  CHECK(input_error([&] { baselines(*sample_prior(options), model, Lags{1}); }) ==
        "vocabulary 3 of the sequences: must be the model's, 4");
}
