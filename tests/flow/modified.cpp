#include "gihflow/flow/modified.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "flow/cartesian.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/flow/hessian.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

/// Coefficients of order 1, where nothing is stiff.
Parameters mild_start() {
  return initial_parameters({}, {.w_own = 1.0, .w_other = 0.1, .c = 1.0, .a = 0.5});
}

}  // namespace

TEST_CASE("at learning rate zero the modified flow is the flow, by other coordinates") {
  Threads one(1);
  auto objective = make_objective({}, *sample_prior(sampling(60, 40)));
  for (const char* blocks : {"cwa:20", "c:20", "wa:20"}) {
    const Schedule schedule = parse_schedule(blocks);
    TrainingState state = begin_training(mild_start());
    train_flow(state, schedule, *objective, nullptr,
               {.integrator = Integrator::fehlberg78, .rtol = 1e-11, .atol = 1e-13, .outputs = 5},
               nullptr);
    std::vector<double> times;
    for (const Snapshot& s : state.trajectory.stages[0].snapshots) times.push_back(s.t);
    ModifiedFlow modified = modified_flow(*objective, schedule[0], mild_start(), 0.0, times);
    REQUIRE(modified.outcome == Outcome::reached);
    REQUIRE(modified.points.size() == times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      const Parameters &x = modified.points[i],
                       &y = state.trajectory.stages[0].snapshots[i].parameters;
      CHECK(relative_difference(x.c(), y.c()) <= 1e-9);
      CHECK(relative_difference(x.w, y.w) <= 1e-9);
      CHECK(std::abs(x.a - y.a) <= 1e-9);
    }
  }
}

TEST_CASE("the modified flow descends on the loss with its squared gradient, and C_D grows") {
  Threads one(1);
  auto objective = make_objective({}, *sample_prior(sampling(60, 40)));
  const Stage stage = parse_schedule("cwa:1")[0];
  const double rate = 0.4, t = 1e-3;
  const auto squared_norm = [](const std::vector<double>& x, Index size) {
    return Eigen::Map<const Eigen::VectorXd>(x.data(), size).squaredNorm();
  };
  auto modified_loss = [&](const Parameters& at) {
    return objective->loss(point_of(at)) +
           0.25 * rate * squared_norm(Hessian(*objective, stage, at).gradient(), 17);
  };
  // Its velocity is minus the gradient of that loss, here by central differences.
  const Cartesian coordinates(stage, mild_start());
  const Eigen::VectorXd x = coordinates.initial_point();
  ModifiedFlow flow = modified_flow(*objective, stage, mild_start(), rate, {t, 2.0 * t});
  auto at = [&](std::size_t i) { return Cartesian(stage, flow.points[i]).initial_point(); };
  // Three points give the velocity at the start to O(t²).
  const Eigen::VectorXd velocity = (4.0 * at(0) - 3.0 * x - at(1)) / (2.0 * t);
  for (Index i = 0; i < x.size(); ++i) {
    const double h = 1e-4;
    const Eigen::VectorXd u = h * Eigen::VectorXd::Unit(x.size(), i);
    const double slope = (modified_loss(coordinates.parameters(x + u)) -
                          modified_loss(coordinates.parameters(x - u))) /
                         (2.0 * h);
    CHECK(std::abs(velocity[i] + slope) <= 1e-6);
  }
  // Ċ_D = η‖∇_c𝓛‖² (3.6).
  const double growth = (4.0 * coordinates.normalizer(at(0)) - 3.0 * coordinates.normalizer(x) -
                         coordinates.normalizer(at(1))) /
                        (2.0 * t);
  const double expected =
      rate * squared_norm(Hessian(*objective, stage, mild_start()).gradient(), 7);
  CHECK(std::abs(growth - expected) <= 1e-4 * expected);
}

TEST_CASE("a modified flow that cannot be followed says how far it came") {
  Threads one(1);
  auto objective = make_objective({}, *sample_prior(sampling(60, 40)));
  ModifiedFlow flow =
      modified_flow(*objective, parse_schedule("c:1")[0], initial_parameters({}, {}), 0.01,
                    {0.0, 0.01, 1000.0}, {.max_evaluations = 200});
  CHECK(flow.outcome == Outcome::step_limit);
  CHECK(flow.points.size() == 2);
  CHECK(flow.evaluations >= 200);
}
