// The stated standard errors of loss and gradient are those of the errors: over 400 disjoint
// samples the truth lies within a standard error as often as it should, and within two.

#include <doctest/doctest.h>

#include "support/settings.hpp"
#include "support/statistics.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

constexpr Index repetitions = 400, chains = 500, truth_chains = 400'000;

// Estimates in the order loss, c, w, a.
std::vector<double> estimate(const Objective& objective, const Parameters& at) {
  Gradient g;
  objective.gradient(point_of(at), g);
  std::vector<double> all{g.loss};
  const std::vector<double> c = c_gradient(at, g);
  all.insert(all.end(), c.begin(), c.end());
  all.insert(all.end(), g.w.begin(), g.w.end());
  all.push_back(g.a);
  return all;
}

std::vector<double> stated_errors(const Objective& objective, const Parameters& at) {
  const StandardErrors errors = objective.standard_errors(at);
  std::vector<double> all{errors.loss};
  all.insert(all.end(), errors.c.begin(), errors.c.end());
  all.insert(all.end(), errors.w.begin(), errors.w.end());
  all.push_back(errors.a);
  return all;
}

}  // namespace

TEST_CASE("standard errors of loss and gradient cover the truth as often as they say") {
  Model model;
  const Parameters at = generic_point(model);
  const auto all = sample_prior(sampling(repetitions * chains + truth_chains, 20));
  const SequenceSlice rest(*all, repetitions * chains, truth_chains);
  const std::vector<double> truth = estimate(*make_objective(model, rest), at);
  std::vector<std::vector<double>> errors(truth.size());
  for (Index k = 0; k < repetitions; ++k) {
    const auto objective = make_objective(model, SequenceSlice(*all, k * chains, chains));
    const std::vector<double> found = estimate(*objective, at);
    const std::vector<double> stated = stated_errors(*objective, at);
    for (std::size_t i = 0; i < truth.size(); ++i)
      errors[i].push_back((found[i] - truth[i]) / stated[i]);
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    CAPTURE(i);
    CHECK(coverage_p_value(errors[i]) >= least_p_value);
    for (double& z : errors[i]) z *= 1.25;  // a fifth too small would be found
    if (i == 0) CHECK(coverage_p_value(errors[i]) < least_p_value);
  }
}
