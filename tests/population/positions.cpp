// The loss at all positions (1.6) against losses at the last one, of every prefix by itself.

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "gihflow/base/mean_error.hpp"
#include "gihflow/theory/accuracy.hpp"
#include "gihflow/theory/predictors.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Model asking_all(Model model) {
  model.positions = Positions::all;
  return model;
}

// The first tokens of chains as data, with the label laws that the source gives for them.
std::unique_ptr<SequenceSource> prefixes(const SequenceSource& source, Index length, Index first,
                                         Index count) {
  auto data = std::make_shared<Sequences>();
  const Index d = source.vocabulary(), asked = source.length() - length + 1;
  data->vocabulary = d;
  data->length = length;
  data->count = count;
  std::vector<Token> tokens(static_cast<std::size_t>(source.length() + 1));
  std::vector<double> laws(static_cast<std::size_t>(asked * d));
  for (Index chain = first; chain < first + count; ++chain) {
    source.draw(chain, tokens, laws);
    data->tokens.insert(data->tokens.end(), tokens.begin(), tokens.begin() + length + 1);
    data->targets.insert(data->targets.end(), laws.begin(), laws.begin() + d);
  }
  return stored_sequences(data);
}

SamplingOptions few() {
  SamplingOptions options = sampling(11, 24);
  options.prior.alpha = 0.5;
  return options;
}

const Model paper{};
const Model partial{.boundary = Boundary::partial,
                    .head_windows = HeadWindows::shifted,
                    .head_normalization = HeadNormalization::l2};

}  // namespace

TEST_CASE("the loss at all positions is the mean over prefixes that are sequences of their own") {
  for (const Model& model : {paper, partial}) {
    const auto source = sample_prior(few());
    const Point at = point_of(generic_point(model));
    std::vector<double> mean;
    const Index shortest = model.shortest_context(), asked = 24 - shortest + 1;
    CHECK(asking_all(model).asked(24) == asked);
    for (Index length = shortest; length <= 24; ++length) {
      Gradient g;
      make_objective(model, *prefixes(*source, length, 0, 11))->gradient(at, g);
      const std::vector<double> one = flat(g);
      mean.resize(one.size());
      for (std::size_t i = 0; i < one.size(); ++i) mean[i] += one[i] / static_cast<double>(asked);
    }
    for (const Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
      const auto all = make_objective(asking_all(model), *source, engine);
      Gradient g;
      all->gradient(at, g);
      CHECK(all->chains() == 11);
      CHECK(relative_difference(flat(g), mean) <= 1e-12);
    }
  }
}

TEST_CASE("minibatches and standard errors at all positions are over chains") {
  Model table = asking_all(partial);
  table.scores = Scores::tokens;
  for (const Model& model : {asking_all(paper), asking_all(partial), table}) {
    const auto source = sample_prior(few());
    const Parameters parameters = generic_point(model);
    const Point at = point_of(parameters);
    for (const Engine engine : {Engine::dense, Engine::sparse}) {
      const auto all = make_objective(model, *source, engine);
      std::vector<double> losses;
      for (Index chain = 0; chain < 11; ++chain) {
        const auto one = make_objective(model, SequenceSlice(*source, chain, 1), engine);
        Gradient expected, found;
        one->gradient(at, expected);
        all->batch_gradient(std::vector<Index>{chain}, at, found);
        losses.push_back(expected.loss);
        found.loss = expected.loss;
        CHECK(relative_difference(flat(found), flat(expected)) <= 1e-12);
      }
      const MeanError expected = mean_error(losses);
      CHECK(close(all->loss(at), expected.mean, 1e3));
      CHECK(close(all->standard_errors(parameters).loss, expected.error, 1e3));
      const StandardErrors oracle =
          make_objective(model, *source, Engine::reference)->standard_errors(parameters);
      CHECK(relative_difference(all->standard_errors(parameters).w, oracle.w) <= 1e-11);
    }
  }
}

TEST_CASE("accuracies and baselines at all positions are means over prefixes") {
  for (const InitialLaw law : {InitialLaw::stationary, InitialLaw::uniform}) {
    SamplingOptions options = few();
    options.initial_law = law;
    for (const Model& model : {paper, partial}) {
      const auto source = sample_prior(options);
      const Parameters at = generic_point(model);
      const std::vector<Index> lags{1, 2};
      const Baselines found = baselines(*source, asking_all(model), lags);
      std::vector<double> right, gih, ngram;
      for (Index chain = 0; chain < 11; ++chain) {
        double all_right = 0.0, all_gih = 0.0, all_ngram = 0.0, asked = 0.0;
        for (Index length = model.shortest_context(); length <= 24; ++length, ++asked) {
          const auto one = prefixes(*source, length, chain, 1);
          const Baselines lines = baselines(*one, model, lags);
          all_right += model_accuracy(*one, model, at).share;
          all_gih += lines.gih_loss;
          all_ngram += *lines.ngram.accuracy;
        }
        right.push_back(all_right / asked);
        gih.push_back(all_gih / asked);
        ngram.push_back(all_ngram / asked);
      }
      const Accuracy accuracy = model_accuracy(*source, asking_all(model), at);
      CHECK(close(accuracy.share, mean_error(right).mean, 1e3));
      CHECK(close(accuracy.error, mean_error(right).error, 1e3));
      CHECK(close(found.gih_loss, mean_error(gih).mean, 1e3));
      CHECK(close(found.gih_loss_error, mean_error(gih).error, 1e3));
      CHECK(close(*found.ngram.accuracy, mean_error(ngram).mean, 1e3));
      // Nothing is better than the law that the tokens were drawn from.
      CHECK(found.entropy_floor < found.gih_loss);
      CHECK(found.posterior_loss.has_value());
    }
  }
}

TEST_CASE("at a = 0 the loss at all positions is that of the counts, by hand") {
  // d = 2, tokens 0 0 1 1 | 0: with partial boundary y is the share of 1 so far: 0, 0, 1/3, 1/2.
  Model model{.vocabulary = 2, .window = 1, .heads = 1, .degree = 1, .boundary = Boundary::partial};
  model.positions = Positions::all;
  auto data = std::make_shared<Sequences>();
  data->vocabulary = 2, data->length = 4, data->count = 1;
  data->tokens = {0, 0, 1, 1, 0};
  const auto source = stored_sequences(data);
  const double scale = 1.0 + 2.0 * model.epsilon, eps = model.epsilon;
  const double expected = -(std::log((1.0 + eps) / scale) + std::log(eps / scale) +
                            std::log((1.0 / 3.0 + eps) / scale) + std::log((0.5 + eps) / scale)) /
                          4.0;
  const Parameters at = generic_point(model, 0.0);
  for (const Engine engine : {Engine::dense, Engine::sparse, Engine::reference})
    CHECK(close(make_objective(model, *source, engine)->loss(point_of(at)), expected, 100));
}
