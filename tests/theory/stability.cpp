#include "gihflow/theory/stability.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/flow/hessian.hpp"

using namespace gihflow;

namespace {

struct Case {
  Model model;
  std::unique_ptr<Objective> objective;
  Parameters start;
  Index set;

  Case() {
    SamplingOptions sampling;
    sampling.count = 200;
    sampling.purpose = Purpose::test;
    objective = make_objective(model, *sample_prior(sampling));
    start = initial_parameters(model, {3.0, 0.01, 0.01, 0.01});
    set = subset_index(0b011, model.heads);
  }

  /// C_D times the largest eigenvalue of the Hessian in c, p on the set but for 1e-12.
  double curvature(double a) const {
    Parameters at = start;
    at.a = a;
    std::vector<double> c(at.log_c_squared.size(), 1e-8);
    c[static_cast<std::size_t>(set)] = 0.01;
    at.set_c(c);
    return std::exp(at.log_normalizer()) *
           largest_eigenvalue(Hessian(*objective, {.blocks = "c", .duration = 1.0}, at));
  }
};

}  // namespace

TEST_CASE(
    "the largest curvature is that of the Hessian in c, and smaller on both sides") {  // (3.7)
  const Case c;
  const LargestCurvature found = largest_curvature(*c.objective, c.set, c.start);
  CHECK(found.a > 1.0);
  CHECK(found.a < 5.0);
  CHECK(std::abs(c.curvature(found.a) / found.curvature - 1.0) < 1e-5);
  for (const double off : {-1.0, -0.1, 0.1, 1.0})
    CHECK(c.curvature(found.a + off) < found.curvature);
}
