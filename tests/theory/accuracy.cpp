#include "gihflow/theory/accuracy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "gihflow/base/subsets.hpp"
#include "gihflow/theory/predictors.hpp"
#include "population/reference.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

TEST_CASE("an answer is right where the largest prediction is, and ties share") {
  const std::vector<double> target{0.5, 0.3, 0.2};
  CHECK(right_answers(std::vector<double>{0.1, 0.8, 0.1}, target) == 0.3);
  CHECK(right_answers(std::vector<double>{0.4, 0.4, 0.2}, target) == 0.4);
  CHECK(close(right_answers(std::vector<double>(3, 1.0), target), 1.0 / 3.0, 4));
  const std::vector<double> predictions{0.9, 0.1, 0.2, 0.8, 0.5, 0.5}, targets{1, 0, 1, 0, 0, 1};
  const Accuracy three = accuracy(predictions, targets, 2);
  CHECK(three.share == 0.5);
  CHECK(close(three.error, 0.5 / std::sqrt(3.0), 8));
  CHECK(std::isnan(accuracy(std::vector<double>{1, 0}, std::vector<double>{1, 0}, 2).error));
}

TEST_CASE("accuracy of the model is that of its predictions one by one, however many there are") {
  SamplingOptions options;
  options.prior.alpha = 0.5;
  options.length = 40;
  options.count = 300;
  options.purpose = Purpose::test;
  for (const Boundary boundary : {Boundary::masked, Boundary::partial}) {
    Model model;
    model.boundary = boundary;
    Parameters parameters = initial_parameters(model, {2.0, 0.3, 0.5, 3.0});
    const std::vector<double> p = parameters.p();
    const auto sets = subsets(model.heads, model.degree);
    const auto source = sample_prior(options);
    const Sequences drawn = collect(*source);
    std::vector<double> predictions;
    for (Index chain = 0; chain < drawn.count; ++chain) {
      for (std::size_t e = 0; e < 3; ++e) {  // −log((y(e) + ε)/(1 + dε)), (2.4)
        std::vector<double> one_hot(3, 0.0);
        one_hot[e] = 1.0;
        const double loss = reference::chain_loss<double>(model, sets, drawn.tokens_of(chain),
                                                          one_hot, {p, parameters.w, parameters.a});
        predictions.push_back(std::exp(-loss) * (1.0 + 3.0 * model.epsilon) - model.epsilon);
      }
    }
    const Accuracy expected = accuracy(predictions, drawn.targets, 3);
    const Accuracy found = model_accuracy(*source, model, parameters);
    CHECK(close(found.share, expected.share, 300));
    CHECK(close(found.error, expected.error, 300));
    CHECK(found.share > 0.4);
    const PredictorLine line = predictor_line(predictions, drawn.targets, model);
    CHECK(close(*line.accuracy, expected.share, 300));
    CHECK(*line.loss > 0.0);
  }
}
