#include "gihflow/flow/compare.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/flow/hessian.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Parameters mild_start() {
  return initial_parameters({}, {.w_own = 1.0, .w_other = 0.1, .c = 1.0, .a = 0.5});
}

std::unique_ptr<Objective> small_problem() {
  return make_objective({}, *sample_prior(sampling(60, 40)));
}

}  // namespace

TEST_CASE("descent tends to the flow at order 1 and to the modified flow at order 2") {
  Threads one(1);
  auto objective = small_problem();
  CompareOptions options;
  options.learning_rates = {0.4, 0.2, 0.1, 0.05};
  options.flow.outputs = 12;
  options.flow.first_output = 2.0;
  Comparison comparison =
      compare_descent(mild_start(), parse_schedule("cwa:40,w:20"), *objective, options);
  REQUIRE(comparison.stages.size() == 2);
  for (const ComparedStage& stage : comparison.stages) {
    CHECK(stage.fitted_rates == options.learning_rates);
    REQUIRE(stage.fit_end > stage.fit_begin);
    REQUIRE(stage.to_flow.order);
    REQUIRE(stage.to_modified.order);
    CHECK(std::abs(*stage.to_flow.order - 1.0) <= 0.1);
    CHECK(std::abs(*stage.to_modified.order - 2.0) <= 0.1);
    REQUIRE(stage.to_flow.pairs.size() == 3);
    CHECK(std::abs(stage.to_flow.pairs.back() - 1.0) <= 0.05);
    CHECK(std::abs(stage.to_modified.pairs.back() - 2.0) <= 0.05);
  }
  // C_D of descent grows as the modified flow says, at order 1 in η; the flow conserves it.
  const ComparedStage& joint = comparison.stages[0];
  for (const ComparedRate& rate : joint.rates) {
    CHECK(rate.growth_error <= 1e-12);
    CHECK(rate.growth.back() > 0.0);
    CHECK(std::abs(rate.growth.back() / rate.modified_growth.back() - 1.0) <=
          0.5 * rate.learning_rate);
  }
}

TEST_CASE("distances, sharpness and the time to leave are what the runs say") {
  Threads one(1);
  auto objective = small_problem();
  CompareOptions options;
  options.learning_rates = {1.0, 0.25};
  options.flow.outputs = 8;
  options.modified.max_evaluations = 300;
  const Parameters start = initial_parameters({}, {});
  const Schedule schedule = parse_schedule("c:30,wa:8");
  Comparison comparison = compare_descent(start, schedule, *objective, options);
  REQUIRE(comparison.stages.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    const ComparedStage& stage = comparison.stages[k];
    REQUIRE(stage.rates.size() == 2);
    CHECK(stage.t.front() == 0.0);
    CHECK(stage.t.back() == schedule[k].duration);
    for (std::size_t i = 0; i < stage.t.size(); ++i) {
      CHECK(stage.flow[i].t == stage.t[i]);
      CHECK(stage.sharpness[i] ==
            largest_eigenvalue(Hessian(*objective, stage.stage, stage.flow[i].parameters)));
    }
    for (const ComparedRate& rate : stage.rates) {
      REQUIRE(rate.descent.size() == stage.t.size());
      std::optional<double> leaves;
      for (std::size_t i = 0; i < stage.t.size(); ++i) {
        CHECK(rate.descent[i].t == doctest::Approx(stage.t[i]));
        const Parameters &x = rate.descent[i].parameters, &y = stage.flow[i].parameters;
        double squares = (x.a - y.a) * (x.a - y.a);
        for (std::size_t j = 0; j < 7; ++j) squares += std::pow(x.c()[j] - y.c()[j], 2);
        for (std::size_t j = 0; j < 9; ++j) squares += std::pow(x.w[j] - y.w[j], 2);
        CHECK(rate.to_flow[i].all == doctest::Approx(std::sqrt(squares)));
        CHECK(rate.to_flow[i].loss ==
              doctest::Approx(std::abs(rate.descent[i].loss - stage.flow[i].loss)));
        if (!leaves && stage.sharpness[i] >= 2.0 / rate.learning_rate) leaves = stage.t[i];
      }
      CHECK(rate.leaves_at == leaves);
    }
  }
  // At the paper's start C_D = 7e-4 is too small for η = 1 in stage I (3.7).
  CHECK(comparison.stages[0].rates[0].leaves_at == 0.0);
  CHECK(!comparison.stages[0].rates[1].leaves_at);
  CHECK(comparison.stages[0].stable_rates == std::vector<double>{0.25});
  CHECK(comparison.stages[0].fitted_rates.empty());
  CHECK(!comparison.stages[0].to_flow.order);
  // A rate that left the flow stays out, stable as it may be in the next stage.
  CHECK(!comparison.stages[1].rates[0].leaves_at);
  CHECK(comparison.stages[1].stable_rates == std::vector<double>{0.25});
  // The modified flow is stiff there; a limit on its work is a limit, not an error.
  CHECK(comparison.stages[0].rates[0].modified_outcome == Outcome::step_limit);
}

TEST_CASE("what cannot be compared is refused in one sentence each") {
  auto objective = small_problem();
  CompareOptions options;
  options.learning_rates = {1.0, 0.3, 1.0, -1.0};
  auto errors = input_errors(
      [&] { compare_descent(mild_start(), parse_schedule("c:2,a:3"), *objective, options); });
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].find("learning-rates 0.3: stage 'c:2' takes 6.66") == 0);
  CHECK(errors[1] == "learning-rates 1: is named twice; each must be there once");
  CHECK(errors[2] == "learning-rates -1: must be positive finite numbers");
}
