#include "gihflow/theory/concentration.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

struct Case {
  Model model;
  std::unique_ptr<Objective> objective;
  Index set = 0;
  Parameters start;
};

// p = δ on the heads of `mask`, which are the parents; heads start near their own lags.
Case make_case(Index window, std::uint32_t mask, double a, double w_own = 3.0) {
  Case c;
  c.model.window = c.model.heads = window;
  c.objective = make_infinite_objective(
      c.model, draw_kernels({3, elements_of(mask), 0.5, 0.0}, 3, Purpose::test, 40));
  const auto sets = subsets(c.model.heads, c.model.degree);
  std::vector<double> coefficient(sets.size(), 0.0);
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (sets[i] == mask) {
      c.set = static_cast<Index>(i);
      coefficient[i] = 0.01;
    }
  c.start = initial_parameters(c.model, {w_own, 0.0, 0.01, a});
  c.start.set_c(coefficient);
  return c;
}

}  // namespace

TEST_CASE("gamma from G alone: G is a quadratic polynomial in the attention of a head") {
  const Case c = make_case(3, 0b101, 0.01);
  PlainBlocks sharp = zero_blocks(c.model);
  for (Index h = 0; h < 3; ++h) sharp.w[at(h * 3 + h)] = 1000.0;
  const auto found = concentrations(*c.objective, c.set, c.start);
  REQUIRE(found.size() == 2);
  for (const Concentration& x : found) {
    CHECK(x.component == x.head);
    double sum = 0.0;
    for (Index j = 0; j < 3; ++j) {
      if (j == x.component) {
        CHECK(x.gamma[at(j)] == 0.0);
        continue;
      }
      // G at σ = own lag, half and half, lag j alone.
      PlainBlocks half = sharp, other = sharp;
      half.w[at(x.head * 3 + j)] = other.w[at(x.head * 3 + j)] = 1000.0;
      other.w[at(x.head * 3 + x.component)] = 0.0;
      const double g0 = selection_gain(*c.objective, sharp)[at(c.set)];
      const double g1 = selection_gain(*c.objective, half)[at(c.set)];
      const double g2 = selection_gain(*c.objective, other)[at(c.set)];
      CHECK(close(x.gamma[at(j)], 3.0 * g0 - 4.0 * g1 + g2, 1000.0));
      sum += 1.0 / x.gamma[at(j)];
    }
    CHECK(close(x.constant, sum / (0.01 * 3), 10.0));
  }
}

TEST_CASE("one-hot attention that does not attract has no constant") {
  // A sticky chain of two tokens with correlation λ per step: a head on lag 2 gains λ⁴, half way to
  // lag 1 it gains 2λ³ more than it loses, so γ ∝ 2λ⁴ − 2λ³ < 0. From lag 1, γ ∝ 2λ² − 2λ³ > 0.
  Model model{
      2,  2, 2, 2, Boundary::masked, HeadWindows::shared, HeadNormalization::none, Readout::log,
      0.0};
  const auto objective = make_infinite_objective(model, {2, {1}, 1, {0.9, 0.1, 0.1, 0.9}});
  PlainBlocks on_two = zero_blocks(model), on_one = on_two;
  on_two.a = on_one.a = 0.01;
  on_two.w[1] = on_one.w[0] = 1.0;
  const auto two = concentrations(*objective, 1, on_two);
  const auto one = concentrations(*objective, 1, on_one);
  CHECK(std::isnan(two[0].constant));
  CHECK(close(two[0].gamma[0] / one[0].gamma[1], -0.8, 1000.0));
}

TEST_CASE("the reduced flow is the flow at small a") {
  const Case c = make_case(2, 0b11, 1e-5);
  ReducedAttention reduced(*c.objective, c.set, c.start);
  TrainingState state = begin_training(c.start);
  FlowOptions options;
  options.rtol = 1e-9;
  options.atol = 1e-12;
  options.outputs = 9;
  train_flow(state, parse_schedule("w:1e8"), *c.objective, nullptr, options, nullptr);
  for (const Snapshot& s : state.trajectory.stages[0].snapshots) {
    const auto& w = reduced.advance(s.t);
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(w[i] - s.parameters.w[i]) < 1e-4);
  }
}

TEST_CASE("late times follow the constants, other heads rest") {
  for (const std::uint32_t mask : {0b1u, 0b11u, 0b10u}) {
    const Case c = make_case(2, mask, 0.01);
    const auto predicted = concentrations(*c.objective, c.set, c.start);
    ReducedAttention reduced(*c.objective, c.set, c.start);
    const double t = 1e10;
    const auto& w = reduced.advance(t);
    for (const Concentration& x : predicted) {
      const double gap = w[at(2 * x.head + x.component)] - w[at(2 * x.head + 1 - x.component)];
      CHECK(std::abs(t / (1.0 + std::exp(gap)) / x.constant - 1.0) < 2e-3);
    }
    for (Index h = 0; h < 2; ++h)
      if (!(mask >> h & 1)) {
        CHECK(w[at(2 * h)] == c.start.w[at(2 * h)]);
        CHECK(w[at(2 * h + 1)] == c.start.w[at(2 * h + 1)]);
      }
  }
}

TEST_CASE("time to a concentration") {
  const Case c = make_case(2, 0b11, 0.01);
  ReducedAttention reduced(*c.objective, c.set, c.start);
  const double t = reduced.advance_until(0.01, 1e12);
  ReducedAttention again(*c.objective, c.set, c.start);
  const auto& w = again.advance(t);
  const double least = 1.0 / (1.0 + std::exp(-std::min(w[0] - w[1], w[3] - w[2])));
  CHECK(std::abs(1.0 - least - 0.01) < 1e-6);
  CHECK(ReducedAttention(*c.objective, c.set, c.start).advance_until(0.9, 1e12) == 0.0);
  CHECK(std::isinf(ReducedAttention(*c.objective, c.set, c.start).advance_until(1e-9, 10.0)));
}
