#include "gihflow/flow/flow.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

struct Problem {
  explicit Problem(Index chains = 200)
      : objective(make_objective({}, *sample_prior(sampling(chains)))) {}
  TrainingState run(const Schedule& schedule, const FlowOptions& options = {},
                    Observer* observer = nullptr, const Objective* other = nullptr) const {
    TrainingState state = begin_training(initial_parameters({}, {}));
    train_flow(state, schedule, other ? *other : *objective, nullptr, options, observer);
    return state;
  }
  Threads one_thread{1};  // small problems: starting threads would cost more than it saves
  std::unique_ptr<Objective> objective;
};

const Schedule three_stages = parse_schedule("c:2000,w:5000,a:500");

double drop(const StageRecord& r) {
  return r.snapshots.front().loss - r.snapshots.back().loss;
}

/// Relative to the stage's loss drop, the largest over the recorded times.
double residual(const StageRecord& r) {
  double largest = 0.0;
  for (const Snapshot& s : r.snapshots) largest = std::max(largest, std::abs(s.energy_residual));
  return largest / drop(r);
}

}  // namespace

TEST_CASE("energy law and gauge hold at default tolerances and tighten with them") {
  Problem problem;
  TrainingState loose = problem.run(three_stages);
  TrainingState tight = problem.run(three_stages, {.rtol = 1e-9, .atol = 1e-12});
  REQUIRE(loose.outcome == Outcome::reached);
  REQUIRE(loose.trajectory.stages.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const StageRecord &r = loose.trajectory.stages[i], &s = tight.trajectory.stages[i];
    CAPTURE(i);
    CHECK(residual(r) <= 1e-5);
    CHECK(residual(s) <= 0.1 * residual(r));
    CHECK(r.gauge_drift <= 1e-5);
    CHECK(s.gauge_drift <= 0.1 * r.gauge_drift);
    CHECK(r.snapshots.front().t == 0.0);
    CHECK(r.snapshots.back().t == r.stage.duration);
    // The loss never rises along the flow.
    for (std::size_t k = 1; k < r.snapshots.size(); ++k)
      CHECK(r.snapshots[k].loss <= r.snapshots[k - 1].loss + 1e-12);
    // C_D is constant in what is recorded, (3.2).
    double first = r.snapshots.front().parameters.log_normalizer();
    for (const Snapshot& snapshot : r.snapshots)
      CHECK(std::abs(snapshot.parameters.log_normalizer() - first) <= 1e-10);
    // The next stage starts where this one ends.
    if (i > 0)
      CHECK(r.snapshots.front().parameters ==
            loose.trajectory.stages[i - 1].snapshots.back().parameters);
  }
  // Blocks that are not trained do not move.
  CHECK(loose.trajectory.stages[0].snapshots.back().parameters.w == initial_parameters({}, {}).w);
  CHECK(loose.trajectory.stages[0].snapshots.back().parameters.a == 0.01);
}

TEST_CASE("a planted 1 % error in one gradient block breaks the energy law") {
  struct Planted : Wrapped {
    using Wrapped::Wrapped;
    int block = 0;
    void gradient(const Point& at, Gradient& out, bool with_loss) const override {
      Wrapped::gradient(at, out, with_loss);
      if (block == 0)
        for (double& x : out.p) x *= 1.01;
      if (block == 1)
        for (double& x : out.w) x *= 1.01;
      if (block == 2) out.a *= 1.01;
    }
  };
  Problem problem;
  Planted planted(*problem.objective);
  const char* schedules[] = {"c:2000", "w:5000", "a:500"};
  for (int block = 0; block < 3; ++block) {
    planted.block = block;
    auto state = problem.run(parse_schedule(schedules[block]), {}, nullptr, &planted);
    CHECK(residual(state.trajectory.stages[0]) > 1e-3);
  }
}

TEST_CASE("output never moves a bit of the trajectory") {
  Problem problem;
  for (Integrator integrator :
       {Integrator::automatic, Integrator::dopri5, Integrator::fehlberg78, Integrator::rodas5p}) {
    TrainingState few = problem.run(three_stages, {.integrator = integrator, .outputs = 2});
    TrainingState many = problem.run(three_stages, {.integrator = integrator, .outputs = 1000});
    CHECK(final_parameters(few) == final_parameters(many));
    for (std::size_t i = 0; i < 3; ++i) {
      const StageRecord &r = few.trajectory.stages[i], &s = many.trajectory.stages[i];
      CHECK(r.statistics.rhs_evaluations == s.statistics.rhs_evaluations);
      CHECK(r.snapshots.back() == s.snapshots.back());
      CHECK(s.snapshots.size() == 1000);
    }
  }
}

TEST_CASE("recorded points between steps lie on the trajectory") {
  // Dense output against a run whose steps end there.
  Problem problem;
  for (Integrator integrator :
       {Integrator::automatic, Integrator::dopri5, Integrator::fehlberg78, Integrator::rodas5p}) {
    FlowOptions options{.integrator = integrator, .rtol = 1e-10, .atol = 1e-12, .outputs = 12};
    TrainingState whole = problem.run(parse_schedule("c:1000"), options);
    for (std::size_t k : {3u, 6u, 9u}) {
      const Snapshot& s = whole.trajectory.stages[0].snapshots[k];
      TrainingState part = problem.run({Stage{"c", s.t}}, options);
      std::vector<double> p = s.parameters.p(), q = final_parameters(part).p();
      CHECK(relative_difference(p, q) <= 1e-7);
      CHECK(std::abs(s.energy_residual) <= 1e-9);
    }
  }
}

TEST_CASE("stopping after any step and continuing changes no bit") {
  struct StopAfter : Observer {
    int left = 0;
    Outcome after_step(const TrainingState&, const Progress& progress) override {
      CHECK(progress.latest != nullptr);
      return left-- > 0 ? Outcome::running : Outcome::wall_time;
    }
  };
  Problem problem(60);
  for (Integrator integrator :
       {Integrator::automatic, Integrator::dopri5, Integrator::fehlberg78, Integrator::rodas5p}) {
    FlowOptions options{.integrator = integrator, .outputs = 20};
    Schedule schedule = parse_schedule("c:200,wa:300");
    TrainingState whole = problem.run(schedule, options);
    for (int steps : {0, 1, 4, 9, 20}) {
      StopAfter observer;
      observer.left = steps;
      TrainingState state = problem.run(schedule, options, &observer);
      if (state.outcome == Outcome::reached) continue;
      CHECK(state.outcome == Outcome::wall_time);
      TrainingState resumed = state;  // as if written and read
      train_flow(resumed, schedule, *problem.objective, nullptr, options, nullptr);
      CHECK(resumed == whole);
    }
  }
}

TEST_CASE("trajectories are bitwise the same for any number of threads") {
  std::vector<TrainingState> states;
  for (int n : {1, 2, 3, 7}) {
    Threads guard(n);
    auto objective = make_objective({}, *sample_prior(sampling(3000)));
    states.push_back(begin_training(initial_parameters({}, {})));
    train_flow(states.back(), parse_schedule("c:100,w:100,a:50"), *objective, nullptr,
               {.outputs = 5}, nullptr);
  }
  for (const TrainingState& state : states) CHECK(state.trajectory == states[0].trajectory);
}

TEST_CASE("non-finite values reject the step, and end the run where they stay") {
  struct Cliff : Wrapped {
    using Wrapped::Wrapped;
    double edge = HUGE_VAL;
    mutable int beyond = 0;
    void gradient(const Point& at, Gradient& out, bool with_loss) const override {
      Wrapped::gradient(at, out, with_loss);
      if (at.a < edge) return;
      ++beyond;
      out.a = std::nan("");
    }
  };
  Problem problem(50);
  Cliff cliff(*problem.objective);
  TrainingState free = problem.run(parse_schedule("a:500"));
  const double end = final_parameters(free).a;

  // Just out of reach of the solution, but not of a trial step: the run arrives.
  cliff.edge = end * 1.0001;
  TrainingState near = problem.run(parse_schedule("a:500"), {}, nullptr, &cliff);
  CHECK(near.outcome == Outcome::reached);
  CHECK(std::abs(final_parameters(near).a - end) <= 1e-5 * end);

  cliff.edge = 0.5 * end;
  TrainingState stuck = problem.run(parse_schedule("a:500"), {}, nullptr, &cliff);
  CHECK(stuck.outcome == Outcome::non_finite);
  CHECK(final_parameters(stuck).a < cliff.edge);
  CHECK(stuck.trajectory.stages[0].statistics.non_finite_steps > 0);
  CHECK(stuck.trajectory.stages[0].hint.find("worst in a") != std::string::npos);

  cliff.edge = -1.0;
  TrainingState never = problem.run(parse_schedule("a:500"), {}, nullptr, &cliff);
  CHECK(never.outcome == Outcome::non_finite);
  CHECK(never.trajectory.stages[0].hint.find("at the stage's start, in a, where log C_D = ") !=
        std::string::npos);
}

TEST_CASE("a step size below what flow time resolves ends the run with a hint") {
  struct Noise : Wrapped {
    using Wrapped::Wrapped;
    double edge = HUGE_VAL;
    mutable int beyond = 0;
    void gradient(const Point& at, Gradient& out, bool with_loss) const override {
      Wrapped::gradient(at, out, with_loss);
      if (at.a >= edge) out.a = ++beyond % 2 ? 1e30 : -1e30;
    }
  };
  Problem problem(50);
  Noise noise(*problem.objective);
  noise.edge = 0.5 * final_parameters(problem.run(parse_schedule("a:500"))).a;
  const TrainingState stuck = problem.run(parse_schedule("a:500"), {}, nullptr, &noise);
  CHECK(stuck.outcome == Outcome::step_underflow);
  const StageRecord& stage = stuck.trajectory.stages[0];
  CHECK(stage.hint.starts_with("the step size fell to "));
  CHECK(stage.hint.find("worst in ") != std::string::npos);
  CHECK(stage.hint.find("loosen the relative tolerance") != std::string::npos);
  CHECK(stage.snapshots.size() > 1);
  CHECK(final_parameters(stuck).a > 0.0);
}

TEST_CASE("step limits and interrupts end a run with data that can be continued") {
  Problem problem(50);
  TrainingState limited = problem.run(three_stages, {.max_steps = 7});
  CHECK(limited.outcome == Outcome::step_limit);
  const StepStatistics& s = limited.trajectory.stages.back().statistics;
  CHECK(s.accepted_steps + s.rejected_steps == 7);
  const std::string& hint = limited.trajectory.stages.back().hint;
  CHECK(hint.starts_with("7 steps of this stage came to t = "));
  CHECK(hint.find(" of 2000; the step size is ") != std::string::npos);
  CHECK(hint.find("limited by the accuracy of θ{") != std::string::npos);
  CHECK(hint.find("allow more steps or time, or loosen the relative tolerance") !=
        std::string::npos);

  Interrupt interrupt;
  interrupt.request();
  const ContextScope scope({.interrupt = &interrupt});
  TrainingState stopped = problem.run(three_stages);
  CHECK(stopped.outcome == Outcome::interrupted);
  CHECK(stopped.trajectory.stages[0].statistics.accepted_steps == 1);
}

TEST_CASE("times that are no numbers or do not increase are refused, not reached") {
  Problem problem(50);
  const auto run = [&](std::vector<double> times) {
    return problem.run(parse_schedule("a:5"), {.times = {std::move(times)}});
  };
  for (const std::vector<double>& times :
       {std::vector<double>{0.0, NAN, 5.0}, {0.0, 3.0, 2.0}, {1.0, 1.0}, {-1.0}, {0.0, 6.0}})
    CHECK_THROWS_AS(run(times), InputError);
  const TrainingState state = run({2.0});
  REQUIRE(state.trajectory.stages[0].snapshots.size() == 3);
  CHECK(state.trajectory.stages[0].snapshots[1].t == 2.0);
  CHECK(state.trajectory.stages[0].snapshots[2].t == 5.0);
}

TEST_CASE("a first output time at the end of the range of numbers is recorded, and so is the end") {
  Problem problem(50);
  const TrainingState tiny = problem.run(parse_schedule("a:500"), {.first_output = 1e-307});
  const TrainingState plain = problem.run(parse_schedule("a:500"));
  CHECK(tiny.outcome == Outcome::reached);
  CHECK(tiny.trajectory.stages[0].snapshots.size() == 200);
  CHECK(tiny.trajectory.stages[0].snapshots[1].t == 1e-307);
  CHECK(final_parameters(tiny) == final_parameters(plain));
}

TEST_CASE("a coefficient that is zero stays zero, signs are kept") {
  Problem problem(50);
  Parameters start = initial_parameters({}, {});
  start.set_c(std::vector<double>{0.01, -0.02, 0.0, 0.01, 0.01, -0.01, 0.01});
  TrainingState state = begin_training(start);
  CHECK(train_flow(state, parse_schedule("c:100"), *problem.objective, nullptr, {.outputs = 3},
                   nullptr) == Outcome::reached);
  const Parameters& end = final_parameters(state);
  CHECK(end.c_sign == start.c_sign);
  CHECK(end.p()[2] == 0.0);
  CHECK(end.c()[1] < 0.0);
}

TEST_CASE("the paper's three stages select, copy and classify") {
  // A small sample of the default experiment; the whole of it is run through the program.
  Problem problem(1000);
  TrainingState state = problem.run(parse_schedule("c:2000,w:50000,a:5000"));
  REQUIRE(state.outcome == Outcome::reached);
  const auto& stages = state.trajectory.stages;
  CHECK(stages[0].snapshots.back().parameters.p()[4] > 1.0 - 1e-12);  // {1,2}
  auto sigma = stages[1].snapshots.back().parameters.attention();
  CHECK(sigma[0] > 0.98);
  CHECK(sigma[4] > 0.98);
  auto before = stages[1].snapshots.front().parameters.attention();
  CHECK(std::abs(sigma[8] - before[8]) <= 1e-12);
  CHECK(stages[2].snapshots.back().parameters.a > 5.0);
  Index evaluations = 0;
  for (const StageRecord& r : stages) evaluations += r.statistics.rhs_evaluations;
  CHECK(evaluations <= 800);
}
