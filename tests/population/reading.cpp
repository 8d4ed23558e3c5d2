#include "gihflow/population/reading.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/theory/predictors.hpp"
#include "population/cases.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

// −Σ T log law, the loss of one sequence.
double loss_of(const Reading& reading, std::span<const double> targets) {
  double loss = 0.0;
  for (std::size_t e = 0; e < targets.size(); ++e) {
    if (targets[e] > 0.0) loss -= targets[e] * std::log(reading.law[e]);
  }
  return loss;
}

}  // namespace

TEST_CASE("a reading is the law whose cross-entropy is the loss, in every convention") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto chains = sample_prior(c.sampling);
    Point at = point_of(generic_point(c.model, c.a));
    const auto length = static_cast<std::size_t>(c.sampling.length);
    const auto asked = static_cast<std::size_t>(c.model.asked(c.sampling.length));
    const auto d = static_cast<std::size_t>(c.model.vocabulary);
    double sum = 0.0;
    for (Index chain = 0; chain < c.sampling.count; ++chain) {
      std::vector<Token> tokens(length + 1);
      std::vector<double> targets(asked * d);
      chains->draw(chain, tokens, targets);
      for (std::size_t left = asked; left-- > 0;) {  // prefixes (1.6), the shortest one first
        const std::span<const Token> prefix = std::span(tokens).first(length + 1 - left);
        const Reading reading = SequenceReader(c.model, prefix).read(at);
        CHECK(close(std::accumulate(reading.weights.begin(), reading.weights.end(), 0.0), 1.0,
                    static_cast<double>(length)));
        CHECK(reading.weights.size() == length - left);
        if (c.model.boundary == Boundary::masked) CHECK(reading.weights.front() == 0.0);
        sum += loss_of(reading, std::span(targets).subspan((asked - 1 - left) * d, d));
      }
    }
    const auto objective = make_objective(c.model, *chains, Engine::reference);
    CHECK(close(sum / static_cast<double>(c.sampling.count * c.model.asked(c.sampling.length)),
                objective->loss(at), static_cast<double>(length), 100.0));
  }
}

TEST_CASE("with a large and the right parts a reading is the generalised induction head") {
  Model model;
  model.epsilon = 0.0;
  const std::vector<Token> tokens = {0, 1, 2, 0, 1, 1, 2, 0, 1, 2, 2, 0, 1, 0};
  Point at{{0, 0, 0, 0, 1, 0, 0}, {800, 0, 0, 0, 800, 0, 0, 0, 0}, 800};  // p = 1 on {1,2}
  const Reading reading = SequenceReader(model, tokens).read(at);
  const std::vector<Index> lags = {1, 2};
  const std::vector<double> limit = gih_predict(tokens, model, lags);
  for (std::size_t e = 0; e < 3; ++e) CHECK(reading.law[e] == doctest::Approx(limit[e]));
  CHECK(reading.weights[5] == doctest::Approx(0.5));  // x_6 after 0, 1, as the query
  CHECK(reading.weights[4] == 0.0);
}

TEST_CASE("sequences that cannot be read are refused") {
  const std::vector<Token> little = {0, 1, 2, 0};
  CHECK_THROWS_AS(SequenceReader(Model{}, little), InputError);
  const std::vector<Token> strange = {0, 1, 2, 3, 0, 0, 0};
  CHECK_THROWS_AS(SequenceReader(Model{}, strange), InputError);
}
