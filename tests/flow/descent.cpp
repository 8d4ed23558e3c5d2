#include "gihflow/flow/descent.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

struct Problem {
  explicit Problem(Index chains = 60, Index length = 40)
      : objective(make_objective({}, *sample_prior(sampling(chains, length)))) {}
  std::unique_ptr<Objective> objective;
};

TrainingState run(const Objective& objective, const char* stages,
                  const DescentOptions& options = {}, Observer* observer = nullptr,
                  const Parameters* start = nullptr) {
  TrainingState state = begin_training(start ? *start : initial_parameters({}, {}));
  train_descent(state, parse_schedule(stages), objective, &objective, options, observer);
  return state;
}

/// Stops after a given number of calls.
struct StopAfter : Observer {
  explicit StopAfter(Index calls) : left(calls) {}
  Outcome after_step(const TrainingState&, const Progress&) override {
    return left-- > 0 ? Outcome::running : Outcome::wall_time;
  }
  Index left;
};

/// ∇𝓛 in (c, w, a), one behind the other, from the derivatives in (p, w, a) by (3.1).
std::vector<double> gradient_at(const Objective& objective, const std::vector<double>& x,
                                std::span<const Index> chains = {}) {
  const Model& model = objective.model();
  const auto n = static_cast<std::size_t>(model.subsets());
  double normalizer = 0.0, mean = 0.0;
  for (std::size_t i = 0; i < n; ++i) normalizer += x[i] * x[i];
  Point at{{}, {x.begin() + static_cast<Index>(n), x.end() - 1}, x.back()};
  for (std::size_t i = 0; i < n; ++i) at.p.push_back(x[i] * x[i] / normalizer);
  Gradient g;
  if (chains.empty())
    objective.gradient(at, g);
  else
    objective.batch_gradient(chains, at, g);
  for (std::size_t i = 0; i < n; ++i) mean += at.p[i] * g.p[i];
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(2.0 * x[i] / normalizer * (g.p[i] - mean));
  out.insert(out.end(), g.w.begin(), g.w.end());
  out.push_back(g.a);
  return out;
}

std::vector<double> flat(const Parameters& point) {
  std::vector<double> x = point.c();
  x.insert(x.end(), point.w.begin(), point.w.end());
  x.push_back(point.a);
  return x;
}

const Snapshot& last(const TrainingState& state) {
  return state.trajectory.stages.back().snapshots.back();
}

}  // namespace

TEST_CASE("each optimizer follows its rule") {
  Problem problem;
  const double rate = 0.05;
  for (Optimizer optimizer : {Optimizer::gd, Optimizer::momentum, Optimizer::adam}) {
    CAPTURE(to_string(optimizer));
    DescentOptions options;
    options.optimizer = optimizer;
    options.learning_rate = rate;
    TrainingState state = run(*problem.objective, "cwa:0.5", options);
    REQUIRE(state.outcome == Outcome::reached);
    std::vector<double> x = flat(initial_parameters({}, {})), m(x.size()), s(x.size());
    for (int k = 1; k <= 10; ++k) {
      std::vector<double> g = gradient_at(*problem.objective, x);
      for (std::size_t i = 0; i < x.size(); ++i) {
        switch (optimizer) {
          case Optimizer::gd:
            x[i] -= rate * g[i];
            break;
          case Optimizer::momentum:
            m[i] = 0.9 * m[i] + g[i];
            x[i] -= rate * m[i];
            break;
          case Optimizer::adam:
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            s[i] = 0.999 * s[i] + 0.001 * g[i] * g[i];
            x[i] -= rate * (m[i] / (1 - std::pow(0.9, k))) /
                    (std::sqrt(s[i] / (1 - std::pow(0.999, k))) + 1e-8);
            break;
        }
      }
    }
    CHECK(relative_difference(flat(last(state).parameters), x) <= tolerance<double>(1e4));
    CHECK(state.trajectory.stages[0].integrator == to_string(optimizer));
    CHECK(state.trajectory.stages[0].statistics.accepted_steps == 10);
    CHECK(state.trajectory.stages[0].statistics.rhs_evaluations == 10);
  }
}

TEST_CASE("blocks that are not trained stay, and stages follow one another") {
  Problem problem;
  DescentOptions options;
  options.learning_rate = 0.5;
  TrainingState state = run(*problem.objective, "c:3,w:2,a:1", options);
  REQUIRE(state.trajectory.stages.size() == 3);
  const auto& stages = state.trajectory.stages;
  const Parameters start = initial_parameters({}, {});
  CHECK(stages[0].snapshots.back().parameters.w == start.w);
  CHECK(stages[0].snapshots.back().parameters.a == start.a);
  CHECK(stages[1].snapshots.back().parameters.log_c_squared ==
        stages[0].snapshots.back().parameters.log_c_squared);
  CHECK(stages[2].snapshots.back().parameters.w == stages[1].snapshots.back().parameters.w);
  CHECK(stages[2].snapshots.back().parameters.a != start.a);
  for (std::size_t i = 1; i < 3; ++i)
    CHECK(stages[i].snapshots.front().parameters == stages[i - 1].snapshots.back().parameters);
  CHECK(stages[0].statistics.accepted_steps == 6);
  CHECK(stages[1].statistics.accepted_steps == 4);
  CHECK(stages[2].statistics.accepted_steps == 2);
}

TEST_CASE("recorded times are distinct steps") {
  Problem problem;
  DescentOptions options;
  options.learning_rate = 0.25;
  TrainingState state = run(*problem.objective, "w:30", options);
  const auto& snapshots = state.trajectory.stages[0].snapshots;
  CHECK(snapshots.front().t == 0.0);
  CHECK(snapshots[1].t == 0.25);
  CHECK(snapshots.back().t == 30.0);
  CHECK(snapshots.size() < 121);
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    CHECK(snapshots[i].t == 0.25 * std::round(snapshots[i].t / 0.25));
    if (i > 0) CHECK(snapshots[i].t > snapshots[i - 1].t);
  }
  options.times = {{0.0, 1.0, 1.1, 7.5, 30.0}};
  std::vector<double> times;
  state = run(*problem.objective, "w:30", options);
  for (const Snapshot& s : state.trajectory.stages[0].snapshots) times.push_back(s.t);
  CHECK(times == std::vector<double>{0.0, 1.0, 7.5, 30.0});
}

TEST_CASE("C_D grows by the squared gradient in c, and the dissipation shows a planted error") {
  Threads one(1);
  struct Planted : Wrapped {
    using Wrapped::Wrapped;
    void gradient(const Point& at, Gradient& out, bool with_loss) const override {
      Wrapped::gradient(at, out, with_loss);
      for (double& x : out.p) x *= 1.01;
    }
  };
  Problem problem;
  TrainingState state = run(*problem.objective, "cwa:200");
  const StageRecord& stage = state.trajectory.stages[0];
  CHECK(stage.gauge_drift <= tolerance<double>(1e4));
  double before = 0.0;
  for (const Snapshot& s : stage.snapshots) {
    double normalizer = std::exp(s.parameters.log_normalizer());
    CHECK(normalizer >= before * (1.0 - tolerance<double>(10)));
    before = normalizer;
  }
  // The paper's learning rate is beyond the stability limit: C_D grows many times over.
  CHECK(before >= 2.0 * 7e-4);

  // c ⟂ ∇_c𝓛 holds for any ∂𝓛/∂p; what a wrong one breaks is the dissipation.
  DescentOptions small;
  small.learning_rate = 0.002;
  auto residual = [&](const Objective& objective) {
    const Snapshot s = last(run(objective, "c:2", small));
    return std::abs(s.energy_residual) / s.dissipated;
  };
  CHECK(residual(*problem.objective) <= 5e-3);
  CHECK(residual(Planted(*problem.objective)) >= 8e-3);
}

TEST_CASE("a coefficient may change its sign and the record says so") {
  Problem problem;
  DescentOptions options;
  options.learning_rate = 6.0;
  options.outputs = 400;
  options.first_output = 6.0;
  bool negative = false;
  TrainingState state = run(*problem.objective, "cwa:2400", options);
  for (const Snapshot& s : state.trajectory.stages[0].snapshots) {
    auto c = s.parameters.c();
    for (std::size_t i = 0; i < c.size(); ++i) {
      negative = negative || c[i] < 0.0;
      CHECK((c[i] > 0.0) == (s.parameters.c_sign[i] > 0));
    }
  }
  CHECK(negative);
}

TEST_CASE("a run that stops after any step continues with the same bits") {
  Threads one(1);
  Problem problem;
  const char* stages = "cwa:3,w:1,c:2";
  for (Optimizer optimizer : {Optimizer::gd, Optimizer::momentum, Optimizer::adam})
    for (Index batch : {0, 7}) {
      DescentOptions options;
      options.optimizer = optimizer;
      options.batch = batch;
      options.learning_rate = 0.25;
      const TrainingState whole = run(*problem.objective, stages, options);
      REQUIRE(whole.outcome == Outcome::reached);
      for (Index stop : {0, 1, 5, 11, 12, 13, 16, 17, 18, 23}) {
        CAPTURE(stop);
        StopAfter observer(stop);
        TrainingState state = run(*problem.objective, stages, options, &observer);
        CHECK(state.outcome == Outcome::wall_time);
        TrainingState copy = state;
        train_descent(copy, parse_schedule(stages), *problem.objective, problem.objective.get(),
                      options, nullptr);
        CHECK(copy == whole);
      }
    }
}

TEST_CASE("a limit on steps counts those of all stages and is resumable") {
  Problem problem;
  DescentOptions options;
  options.learning_rate = 0.5;
  const TrainingState whole = run(*problem.objective, "c:3,a:2", options);
  options.max_steps = 8;
  TrainingState state = run(*problem.objective, "c:3,a:2", options);
  CHECK(state.outcome == Outcome::step_limit);
  CHECK(state.stage == 1);
  CHECK(std::get<DescentState>(state.stepper.method).step == 2);
  options.max_steps = 100;
  train_descent(state, parse_schedule("c:3,a:2"), *problem.objective, problem.objective.get(),
                options, nullptr);
  CHECK(state == whole);
}

TEST_CASE("minibatches visit every chain once an epoch, in an order that the seed decides") {
  struct Listener : Wrapped {
    using Wrapped::Wrapped;
    void batch_gradient(std::span<const Index> chains, const Point& at,
                        Gradient& out) const override {
      batches.emplace_back(chains.begin(), chains.end());
      inner_.batch_gradient(chains, at, out);
    }
    mutable std::vector<std::vector<Index>> batches;
  };
  Problem problem(20);
  auto batches_of = [&](std::uint64_t seed) {
    Listener listener(*problem.objective);
    DescentOptions options;
    options.batch = 6;
    options.seed = seed;
    run(listener, "c:4,a:4", options);
    return listener.batches;
  };
  auto batches = batches_of(3);
  REQUIRE(batches.size() == 8);
  std::vector<std::vector<Index>> epochs;
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<Index> seen;
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(batches[4 * epoch + i].size() == (i < 3 ? 6u : 2u));
      seen.insert(seen.end(), batches[4 * epoch + i].begin(), batches[4 * epoch + i].end());
    }
    epochs.push_back(seen);
    std::sort(seen.begin(), seen.end());
    std::vector<Index> all(20);
    std::iota(all.begin(), all.end(), Index{0});
    CHECK(seen == all);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(batches == batches_of(3));
  CHECK(batches != batches_of(4));
}

TEST_CASE("batch gradients are means over their chains, in every engine") {
  Model model;
  SamplingOptions options = sampling(37, 30);
  Sequences sequences = collect(*sample_prior(options));
  const std::vector<Index> batch{30, 2, 36, 17, 5, 6};
  auto part = std::make_shared<Sequences>(sequences);
  part->count = static_cast<Index>(batch.size());
  part->tokens.clear();
  part->targets.clear();
  for (Index i : batch) {
    auto tokens = sequences.tokens_of(i);
    auto targets = sequences.targets_of(i);
    part->tokens.insert(part->tokens.end(), tokens.begin(), tokens.end());
    part->targets.insert(part->targets.end(), targets.begin(), targets.end());
  }
  for (const bool reference_conventions : {false, true}) {
    if (reference_conventions) {
      model.boundary = Boundary::partial;
      model.readout = Readout::softmax;
      model.head_normalization = HeadNormalization::l2;
    }
    const Point at = point_of(generic_point(model));
    Gradient expected;
    make_objective(model, *stored_sequences(part), Engine::reference)->gradient(at, expected);
    for (Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
      auto objective = make_objective(model, *sample_prior(options), engine);
      CAPTURE(objective->engine());
      Gradient g, shuffled;
      objective->batch_gradient(batch, at, g);
      CHECK(std::isnan(g.loss));
      g.loss = expected.loss;
      CHECK(relative_difference(testing::flat(g), testing::flat(expected)) <=
            tolerance<double>(1e4));
      std::vector<Index> other(batch.rbegin(), batch.rend());
      objective->batch_gradient(other, at, shuffled);
      CHECK(shuffled.p == g.p);
      CHECK(shuffled.w == g.w);
      CHECK(shuffled.a == g.a);
    }
  }
}

TEST_CASE("the order of a minibatch does not change a bit, also where chains share their counts") {
  Model model;
  model.boundary = Boundary::partial;
  model.readout = Readout::softmax;
  model.head_normalization = HeadNormalization::l2;
  std::vector<Index> batch(400);
  std::iota(batch.begin(), batch.end(), 100);
  const std::vector<Index> other(batch.rbegin(), batch.rend());
  const Point at = point_of(generic_point(model));
  for (const Engine engine : {Engine::dense, Engine::sparse}) {
    const auto objective = make_objective(model, *sample_prior(sampling(500, 6)), engine);
    CAPTURE(objective->engine());
    Gradient g, shuffled;
    objective->batch_gradient(batch, at, g);
    objective->batch_gradient(other, at, shuffled);
    g.loss = shuffled.loss = 0.0;
    CHECK(testing::flat(shuffled) == testing::flat(g));
  }
}

TEST_CASE("descent does not depend on threads") {
  Problem problem(500);
  for (Index batch : {0, 123}) {
    DescentOptions options;
    options.batch = batch;
    std::vector<TrainingState> states;
    for (int threads : {1, 2, 5}) {
      Threads now(threads);
      states.push_back(run(*problem.objective, "cwa:20", options));
    }
    CHECK(states[0] == states[1]);
    CHECK(states[0] == states[2]);
  }
}

TEST_CASE("recording does not move a bit") {
  Problem problem;
  DescentOptions few, many;
  few.outputs = 2;
  many.outputs = 400;
  CHECK(last(run(*problem.objective, "cwa:50", few)) ==
        last(run(*problem.objective, "cwa:50", many)));
}

TEST_CASE("fresh chains in every step are those of the step of the run") {
  Problem problem;
  std::vector<Index> asked;
  DescentOptions options;
  options.resample = [&](Index step) {
    asked.push_back(step);
    SamplingOptions fresh = sampling(40, 40);
    fresh.seed = static_cast<std::uint64_t>(100 + step);
    return make_objective({}, *sample_prior(fresh));
  };
  TrainingState state = run(*problem.objective, "c:3,a:2", options);
  CHECK(asked == std::vector<Index>{0, 1, 2, 3, 4});
  // The loss that is recorded is that of the run's own chains.
  CHECK(last(state).loss == problem.objective->loss(point_of(last(state).parameters)));
  auto first = options.resample(0);
  std::vector<double> x = flat(initial_parameters({}, {}));
  std::vector<double> g = gradient_at(*first, x);
  for (std::size_t i = 0; i < 7; ++i) x[i] -= g[i];
  auto c = state.trajectory.stages[0].snapshots[1].parameters.c();
  CHECK(relative_difference(c, {x.begin(), x.begin() + 7}) <= tolerance<double>(1e4));
}

TEST_CASE("what is not finite ends the run at the last good step and says what is stable") {
  struct Fails : Wrapped {
    using Wrapped::Wrapped;
    void gradient(const Point& at, Gradient& out, bool with_loss) const override {
      Wrapped::gradient(at, out, with_loss);
      if (!with_loss && ++calls > 5) out.a = std::numeric_limits<double>::infinity();
    }
    mutable int calls = 0;
  };
  Problem problem;
  TrainingState state = run(Fails(*problem.objective), "cwa:20");
  CHECK(state.outcome == Outcome::non_finite);
  CHECK(std::get<DescentState>(state.stepper.method).step == 5);
  const StageRecord& stage = state.trajectory.stages[0];
  CHECK(stage.outcome == Outcome::non_finite);
  CHECK(stage.statistics.accepted_steps == 5);
  CHECK(stage.hint.find("the gradient is not finite at t = 5, after 5 steps") != std::string::npos);
  CHECK(stage.hint.find("2/lambda_max = ") != std::string::npos);

  DescentOptions options;
  options.learning_rate = 1e300;
  state = run(*problem.objective, "cwa:1e301", options);
  CHECK(state.outcome == Outcome::non_finite);
  CHECK(state.trajectory.stages[0].hint.find("use a smaller one than 1e+300") != std::string::npos);
}

TEST_CASE("what descent cannot do is refused in one sentence each") {
  Problem problem;
  auto refused = [&](const char* stages, const DescentOptions& options) {
    return input_errors([&] { run(*problem.objective, stages, options); });
  };
  DescentOptions options;
  options.learning_rate = 0.0;
  CHECK(refused("c:1", options) ==
        std::vector<std::string>{"learning-rate 0: must be a positive finite number"});
  options.learning_rate = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused("c:1", options).size() == 1);
  options.learning_rate = 1.0;
  options.batch = 61;
  auto errors = refused("c:0.4,w:5,a:1e20", options);
  REQUIRE(errors.size() == 3);
  CHECK(errors[0] ==
        "stages: 'c:0.4' rounds to no step at learning-rate 1; TIME must be at least half of it");
  CHECK(errors[1].find("stages: 'a:1e+20' takes 1e+20 steps") == 0);
  CHECK(errors[2] == "batch 61: must be between 0 (all chains) and the number of chains, 60");
}

TEST_CASE("rates follow their schedule, warm-up and stage") {
  Problem problem;
  DescentOptions options;
  options.stage_rates = {0.05, 0.2};
  options.rate_schedule = RateSchedule::cosine;
  options.warm_up = 3;
  const TrainingState state = run(*problem.objective, "cwa:0.5,a:2", options);
  REQUIRE(state.outcome == Outcome::reached);
  const double pi = std::acos(-1.0);
  std::vector<double> x = flat(initial_parameters({}, {}));
  double dissipated = 0.0;
  for (int k = 0; k < 20; ++k) {  // ten steps of each stage
    const int step = k % 10;
    const double factor =
        step < 3 ? (step + 1) / 3.0 : 0.5 * (1.0 + std::cos(pi * (step - 3) / 7.0));
    const double rate = (k < 10 ? 0.05 : 0.2) * factor;
    const std::vector<double> g = gradient_at(*problem.objective, x);
    for (std::size_t i = k < 10 ? 0 : x.size() - 1; i < x.size(); ++i) {
      x[i] -= rate * g[i];
      if (k >= 10) dissipated += rate * g[i] * g[i];
    }
  }
  CHECK(relative_difference(flat(last(state).parameters), x) < tolerance<double>(2000.0));
  CHECK(close(last(state).dissipated, dissipated, 2000.0));
  CHECK(last(state).t == 2.0);
  CHECK(state.trajectory.stages[0].statistics.accepted_steps == 10);
  CHECK(state.trajectory.stages[1].statistics.accepted_steps == 10);
}

TEST_CASE("rates that do not fit the stages are refused") {
  Problem problem;
  DescentOptions options;
  options.stage_rates = {1.0, 2.0};
  CHECK(input_error([&] { run(*problem.objective, "c:10,w:10,a:10", options); }) ==
        "learning-rate 1,2: must be one number, or one for each of the 3 stages");
  options.stage_rates = {1.0, 0.0, 2.0};
  options.warm_up = 11;
  CHECK(input_errors([&] { run(*problem.objective, "c:10,w:10,a:22", options); }) ==
        std::vector<std::string>{"warm-up 11: must be at most the steps of 'c:10', 10",
                                 "learning-rate 0: must be a positive finite number"});
  options.stage_rates = {1.0, 1.0, 2.0};
  options.warm_up = -1;
  CHECK(input_error([&] { run(*problem.objective, "c:10,w:10,a:22", options); }) ==
        "warm-up -1: must be at least 0");
}
