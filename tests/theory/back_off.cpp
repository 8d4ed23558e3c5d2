#include "gihflow/theory/back_off.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "support/settings.hpp"

using namespace gihflow;

namespace {

struct Case {
  Model model;
  std::unique_ptr<Objective> objective;
  Parameters start;  // with one-hot attention
  Index set;

  explicit Case(Index length, double epsilon = 0.01, std::uint64_t seed = 1) {
    SamplingOptions sampling;
    sampling.count = 500;
    sampling.length = length;
    sampling.seed = seed;
    sampling.purpose = Purpose::test;
    model.epsilon = epsilon;
    objective = make_objective(model, *sample_prior(sampling));
    start = initial_parameters(model, {1000.0, 0.0, 0.01, 0.01});
    set = subset_index(0b011, model.heads);
  }

  Point point(double a, std::vector<double> p) const {
    Point at(std::move(p), start);
    at.a = a;
    return at;
  }
};

}  // namespace

TEST_CASE("where c and a rest no set gains, and those that are there neither lose") {  // (7.6)
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Case c(30, 0.01, seed);
    const JointRest rest = joint_rest(*c.objective, c.set, c.start);
    REQUIRE(std::isfinite(rest.a));
    CAPTURE(seed);
    Gradient gradient;
    c.objective->gradient(c.point(rest.a, rest.p), gradient, true);
    CHECK(std::abs(gradient.a) < 1e-11);
    double sum = 0.0;
    Index there = 0;
    for (std::size_t i = 0; i < rest.p.size(); ++i) {
      CHECK(rest.p[i] >= 0.0);
      CHECK(-gradient.p[i] < 1e-10);
      if (rest.p[i] > 0.0) CHECK(std::abs(gradient.p[i]) < 1e-10);
      sum += rest.p[i];
      there += rest.p[i] > 0.0;
    }
    CHECK(std::abs(sum - 1.0) < 1e-14);
    CHECK(there > 1);
    CHECK(rest.p[size(c.set)] > 0.5);
    Point vertex = c.point(0.0, std::vector<double>(rest.p.size(), 0.0));
    vertex.p[size(c.set)] = 1.0;
    CHECK(gradient.loss < plateau(*c.objective, vertex).loss - 1e-6);
  }
}

TEST_CASE("the loss at rest is the least of its neighbourhood") {
  const Case c(30);
  const JointRest rest = joint_rest(*c.objective, c.set, c.start);
  REQUIRE(std::isfinite(rest.a));
  const double least = c.objective->loss(c.point(rest.a, rest.p));
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (int k = 0; k < 200; ++k) {
    std::vector<double> b(rest.p.size());
    double a = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i)
      a += b[i] = std::max(0.0, rest.a * rest.p[i] + 0.03 * normal(random));
    for (double& x : b) x /= a;
    CHECK(c.objective->loss(c.point(a, b)) > least);
  }
}

TEST_CASE("there is no rest where a grows on") {
  Model model;
  model.vocabulary = 8;
  const auto objective = make_objective(model, *sample_task(testing::recall_sampling(8, 50, 40)));
  const Parameters start = initial_parameters(model, {1000.0, 0.0, 0.01, 0.01});
  const JointRest rest = joint_rest(*objective, subset_index(0b001, model.heads), start);
  CHECK(std::isnan(rest.a));
  CHECK(rest.p.empty());
}
