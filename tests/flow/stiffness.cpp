#include "flow/stiffness.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "gihflow/flow/flow.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

TrainingState run(const Objective& objective, const char* schedule, const FlowOptions& options = {},
                  Observer* observer = nullptr, const Parameters* start = nullptr) {
  TrainingState state = begin_training(start ? *start : initial_parameters(objective.model(), {}));
  train_flow(state, parse_schedule(schedule), objective, nullptr, options, observer);
  return state;
}

/// One head with two lags, so one difference u = w₁ − w₂, which relaxes towards cos a at a rate
/// that is large for 1 < a < 3 alone; a grows at unit speed. Not a gradient field: only the driver
/// is at stake.
class Passage final : public Objective {
 public:
  Passage() {
    model_.window = 2;
    model_.heads = 1;
    model_.degree = 1;
  }
  const Model& model() const override { return model_; }
  Index chains() const override { return 1; }
  std::string engine() const override { return "passage"; }
  std::size_t memory() const override { return 0; }
  double loss(const Point&) const override { return 0.0; }
  void gradient(const Point& at, Gradient& out, bool) const override {
    const double pull = 0.5 * rate(at.a) * (at.w[0] - at.w[1] - std::cos(at.a));
    out = gradient_of(pull, -1.0);
  }
  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    gradient(at, out, true);
    const double pull = 0.5 * (rate(at.a) * (along.w[0] - along.w[1] + std::sin(at.a) * along.a) +
                               rate_slope(at.a) * along.a * (at.w[0] - at.w[1] - std::cos(at.a)));
    derivative = gradient_of(pull, 0.0);
  }
  StandardErrors standard_errors(const Parameters&) const override { return {}; }

 private:
  static Gradient gradient_of(double pull, double a) {
    Gradient g;
    g.p = {0.0, 0.0};
    g.w = {pull, -pull};
    g.a = a;
    return g;
  }
  static double hill(double a) { return std::exp(-8.0 * std::pow(a - 2.0, 8)); }
  static double rate(double a) { return 1.0 + 1e4 * hill(a); }
  static double rate_slope(double a) { return -64.0 * std::pow(a - 2.0, 7) * 1e4 * hill(a); }
  Model model_;
};

struct KeepAll : Observer {
  std::vector<TrainingState> states;
  Outcome after_step(const TrainingState& state, const Progress&) override {
    states.push_back(state);
    return Outcome::running;
  }
};

struct StopAtOnce : Observer {
  Outcome after_step(const TrainingState&, const Progress&) override { return Outcome::wall_time; }
};

}  // namespace

TEST_CASE("a change of method takes many steps that speak for it") {
  StiffnessWatch watch;
  for (int i = 0; i < 14; ++i) CHECK(!watch.vote(true, 15));
  for (int i = 0; i < 5; ++i) CHECK(!watch.vote(false, 15));
  CHECK(watch.vote(true, 15));
  for (int i = 0; i < 6; ++i) CHECK(!watch.vote(false, 15));
  CHECK(!watch.vote(true, 15));
}

TEST_CASE("auto changes to the stiff method and back where the flow does") {
  const Passage objective;
  const TrainingState state = run(objective, "wa:6");
  REQUIRE(state.outcome == Outcome::reached);
  const StageRecord& stage = state.trajectory.stages[0];
  REQUIRE(stage.switches.size() == 2);
  CHECK(stage.integrator == "auto");
  CHECK(stage.switches[0].from == "dopri5");
  CHECK(stage.switches[0].to == "rodas5p");
  CHECK(stage.switches[0].t > 0.9);
  CHECK(stage.switches[0].t < 1.5);
  CHECK(stage.switches[1].from == "rodas5p");
  CHECK(stage.switches[1].to == "dopri5");
  CHECK(stage.switches[1].t > 2.9);
  CHECK(stage.switches[1].t < 4.5);
  for (const IntegratorSwitch& change : stage.switches) {
    CHECK(change.reason.find("spectral radius") != std::string::npos);
    CHECK(change.reason.find("3.25") != std::string::npos);
  }
  // Every gradient is counted: dopri5 takes 6 a step, Rodas5P 8 and 2 derivatives (w and a).
  const StepStatistics& s = stage.statistics;
  CHECK(s.jacobian_columns > 0);
  CHECK(s.rhs_evaluations > 6 * s.accepted_steps + s.jacobian_columns);
  CHECK(s.rhs_evaluations <= 2 + 8 * (s.accepted_steps + s.rejected_steps) + s.jacobian_columns);

  FlowOptions explicit_only;
  explicit_only.integrator = Integrator::dopri5;
  const TrainingState slow = run(objective, "wa:6", explicit_only);
  CHECK(slow.trajectory.stages[0].switches.empty());
  CHECK(slow.trajectory.stages[0].statistics.rhs_evaluations > 10 * s.rhs_evaluations);
  CHECK(relative_difference(final_parameters(state).w, final_parameters(slow).w) <= 1e-5);
  explicit_only.max_steps = 3000;
  const TrainingState limited = run(objective, "wa:6", explicit_only);
  CHECK(limited.outcome == Outcome::step_limit);
  CHECK(limited.trajectory.stages[0].hint.find("stability") != std::string::npos);
}

TEST_CASE("stopping after any step and continuing changes no bit, changes of method included") {
  const Passage objective;
  const Schedule schedule = parse_schedule("wa:6");
  for (Integrator integrator : {Integrator::automatic, Integrator::rodas5p}) {
    FlowOptions options;
    options.integrator = integrator;
    options.outputs = 10;
    KeepAll whole;
    const TrainingState end = run(objective, "wa:6", options, &whole);
    CHECK(end.trajectory.stages[0].statistics.rejected_steps > 0);
    // From each state one step leads to the next one, counters and a Jacobian that is kept
    // included.
    for (std::size_t k = 0; k + 3 < whole.states.size(); ++k) {
      TrainingState state = whole.states[k];
      StopAtOnce observer;
      REQUIRE(train_flow(state, schedule, objective, nullptr, options, &observer) ==
              Outcome::wall_time);
      state.outcome = state.trajectory.stages[0].outcome = Outcome::running;
      state.trajectory.stages[0].hint.clear();
      CHECK(state == whole.states[k + 1]);
    }
    for (std::size_t k = 0; k < whole.states.size(); k += 37) {
      TrainingState state = whole.states[k];
      train_flow(state, schedule, objective, nullptr, options, nullptr);
      CHECK(state == end);
    }
  }
}

TEST_CASE(
    "the paper's default run takes no Jacobian in stage I, the joint run changes its method") {
  SamplingOptions data;  // the default data
  const auto objective = make_objective({}, *sample_prior(data));
  const TrainingState staged = run(*objective, "c:2000,w:50000,a:5000");
  REQUIRE(staged.outcome == Outcome::reached);
  CHECK(staged.trajectory.stages[0].statistics.jacobian_columns == 0);
  Index evaluations = 0;
  for (const StageRecord& stage : staged.trajectory.stages)
    evaluations += stage.statistics.rhs_evaluations;
  CHECK(evaluations <= 800);

  const TrainingState joint = run(*objective, "cwa:50000");
  REQUIRE(joint.outcome == Outcome::reached);
  const StageRecord& stage = joint.trajectory.stages[0];
  REQUIRE(!stage.switches.empty());
  CHECK(stage.switches[0].to == "rodas5p");
  CHECK(stage.statistics.jacobian_columns > 0);
  CHECK(stage.statistics.rhs_evaluations <= 1300);
  const double drop = stage.snapshots.front().loss - stage.snapshots.back().loss;
  for (const Snapshot& s : stage.snapshots) CHECK(std::abs(s.energy_residual) <= 1e-5 * drop);
  CHECK(stage.gauge_drift <= 1e-5);
}

TEST_CASE("a mixture that is stiff for most of a long run takes few right-hand sides") {
  SamplingOptions data;
  data.count = 1000;
  const auto objective = make_objective({}, *sample_prior(data));
  const TrainingState state = run(*objective, "cwa:1e6");
  REQUIRE(state.outcome == Outcome::reached);
  const StageRecord& stage = state.trajectory.stages[0];
  CHECK(stage.switches.size() >= 1);
  CHECK(stage.statistics.rhs_evaluations <= 13000);
  const double drop = stage.snapshots.front().loss - stage.snapshots.back().loss;
  for (const Snapshot& s : stage.snapshots) CHECK(std::abs(s.energy_residual) <= 1e-5 * drop);
  CHECK(stage.gauge_drift <= 5e-5);
  FlowOptions options;
  options.rtol = 1e-8;
  options.atol = 1e-11;
  const TrainingState exact = run(*objective, "cwa:1e6", options);
  const StageRecord& reference = exact.trajectory.stages[0];
  CHECK(reference.gauge_drift <= 0.1 * stage.gauge_drift);
  REQUIRE(reference.snapshots.size() == stage.snapshots.size());
  for (std::size_t k = 0; k < stage.snapshots.size(); ++k) {
    const Parameters &x = stage.snapshots[k].parameters, &y = reference.snapshots[k].parameters;
    CHECK(relative_difference(x.p(), y.p()) <= 1e-6);
    CHECK(relative_difference(x.attention(), y.attention()) <= 1e-6);
    CHECK(std::abs(x.a - y.a) <= 2e-6);
  }
}

TEST_CASE("weights that are long gone, theta of -1e8, disturb neither steps nor results") {
  const auto objective = make_objective({}, *sample_prior(sampling(100)));
  Parameters start = initial_parameters({}, {});
  for (double& w : start.w) w *= 1.3;
  start.a = 2.0;
  // What is left is a mixture of {1,2} and {2,3}, stiff from the beginning.
  start.log_c_squared = {-1e8, -3e7, -2e7, -1.5e7, std::log(7e-4), -1e7, std::log(7e-4) - 1.0};
  Parameters without = start;
  for (std::size_t i : {0u, 1u, 2u, 3u, 5u}) {
    without.log_c_squared[i] = -INFINITY;
    without.c_sign[i] = 0;
  }
  for (Integrator integrator : {Integrator::automatic, Integrator::dopri5, Integrator::rodas5p}) {
    CAPTURE(to_string(integrator));
    FlowOptions options;
    options.integrator = integrator;
    options.outputs = 2;
    const TrainingState with = run(*objective, "cwa:20", options, nullptr, &start);
    const TrainingState bare = run(*objective, "cwa:20", options, nullptr, &without);
    REQUIRE(with.outcome == Outcome::reached);
    const StepStatistics &s = with.trajectory.stages[0].statistics,
                         &r = bare.trajectory.stages[0].statistics;
    CHECK(s.accepted_steps + s.rejected_steps <= r.accepted_steps + r.rejected_steps + 2);
    const Parameters &p = final_parameters(with), &q = final_parameters(bare);
    CHECK(relative_difference(p.p(), q.p()) <= 1e-5);
    CHECK(relative_difference(p.w, q.w) <= 1e-5);
    CHECK(std::abs(p.a - q.a) <= 1e-5);
    for (std::size_t i : {0u, 1u, 2u, 3u, 5u}) {
      CHECK(std::isfinite(p.log_c_squared[i]));
      CHECK(std::abs(p.log_c_squared[i] / start.log_c_squared[i] - 1.0) <= 0.01);
    }
  }
}
