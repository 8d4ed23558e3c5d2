#include "gihflow/run/train.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <thread>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/run/evaluate.hpp"
#include "gihflow/run/rank.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"
#include "support/threads.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;

namespace {

TrainSetting small_setting() {
  TrainSetting setting;
  setting.sampling.count = 60;
  setting.sampling.length = 30;
  setting.validation_chains = 20;
  setting.stages = parse_schedule("c:100,w:50,a:20");
  setting.flow.outputs = 20;
  return setting;
}

// All that must not depend on where, when and how a run was computed.
void check_same_run(const RunFile& a, const RunFile& b) {
  CHECK(a.provenance == b.provenance);
  CHECK(a.tokens_hash == b.tokens_hash);
  CHECK(a.validation_hash == b.validation_hash);
  CHECK(a.state == b.state);
  REQUIRE(a.baselines.has_value());
  REQUIRE(b.baselines.has_value());
  CHECK(a.baselines->lags == b.baselines->lags);
  CHECK(a.baselines->training.gih_loss == b.baselines->training.gih_loss);
  CHECK(a.standard_errors->loss == b.standard_errors->loss);
  CHECK(a.standard_errors->w == b.standard_errors->w);
}

// Stops the run from inside after so many steps.
class Interrupter final : public RunObserver {
 public:
  explicit Interrupter(int steps) : left_(steps) {}
  void progress(const Progress&) override {
    if (--left_ == 0) interrupt_.request();
  }

 private:
  Interrupt interrupt_;
  ContextScope scope_{{.interrupt = &interrupt_}};
  int left_;
};

// Reads the file that is there after every step.
class Reader final : public RunObserver {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}
  void progress(const Progress&) override {
    if (++steps_ == 1) return std::this_thread::sleep_for(std::chrono::milliseconds(101));
    const RunFile seen = read_run(path_);
    running_ = running_ &&
               (seen.state.outcome == Outcome::running || seen.state.outcome == Outcome::reached);
  }
  int steps_ = 0;
  bool running_ = true;

 private:
  std::string path_;
};

// Asks for the end as a part of the work begins.
class AtPhase final : public RunObserver {
 public:
  explicit AtPhase(std::string name) : name_(std::move(name)) {}
  void phase(const std::string& name) override {
    if (name == name_) interrupt.request();
  }
  Interrupt interrupt;

 private:
  ContextScope scope_{{.interrupt = &interrupt}};
  std::string name_;
};

}  // namespace

TEST_CASE("what train returns is what its file holds") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  const RunFile run = train(setting);
  const RunFile back = read_run(setting.output);
  CHECK(run.state.outcome == Outcome::reached);
  CHECK(run.state.trajectory.stages.size() == 3);
  check_same_run(run, back);
  CHECK(run.execution == back.execution);
  CHECK(directory.files() == 1);
}

TEST_CASE("a run gives its columns, its end and the objective that it was trained on") {
  const Run run = train(small_setting());
  const std::vector<Snapshot>& last = run.state.trajectory.stages.back().snapshots;
  CHECK(run.final() == last.back().parameters);
  CHECK(run.column("loss", 2).size() == last.size());
  CHECK(run.column("loss", 2).back() == last.back().loss);
  CHECK(run.column("w", 2).size() == last.size() * run.final().w.size());
  CHECK(run.column("t").back() == 100);
  CHECK(run.objectives.training->loss(point_of(run.final())) == run.column("loss", 2).back());
  CHECK(run.objectives.tokens_hash == run.tokens_hash);
  CHECK(input_error([&] { run.column("theta"); }) ==
        "column theta of stage 0: must be one that was recorded");
  CHECK(input_error([&] { run.column("loss", 3); }) ==
        "column loss of stage 3: must be one that was recorded");
}

TEST_CASE("two trainings in two threads neither stop nor change each other") {
  const Directory directory;
  const auto setting = [&](const char* name, int threads) {
    TrainSetting result = small_setting();
    result.output = directory / name;
    result.checkpoint_every = 0.0;
    result.threads = threads;
    return result;
  };
  const Run alone = train(small_setting());
  std::optional<Run> whole;
  bool second_stopped = false, second_of_one_thread = false;
  std::thread second([&] {
    AtPhase observer("training");
    const Run stopped = train(setting("second.h5", 1), &observer);
    second_stopped = stopped.state.outcome == Outcome::interrupted;
    second_of_one_thread = stopped.execution.threads == 1;
  });
  whole = train(setting("first.h5", 2));
  second.join();
  CHECK(second_stopped);
  CHECK(second_of_one_thread);
  CHECK(whole->state.outcome == Outcome::reached);
  CHECK(whole->execution.threads == 2);
  CHECK(whole->state == alone.state);
}

TEST_CASE("a run is the same for any number of threads, with and without a file or checkpoints") {
  const Directory directory;
  TrainSetting setting = small_setting();
  const RunFile run = train(setting);
  for (const int threads : {1, 3}) {
    const gihflow::testing::Threads before(1);
    setting.threads = threads;
    setting.output = directory / "run.h5";
    setting.force = true;
    setting.checkpoint_every = threads == 1 ? 0.0 : 100.0;
    check_same_run(run, train(setting));
  }
}

TEST_CASE("the config of a run repeats it") {
  const RunFile run = train(small_setting());
  const auto again = setting_of_config(run.provenance.config, "config").as<TrainSetting>();
  CHECK(again.engine != Engine::automatic);
  check_same_run(run, train(again));
}

TEST_CASE("the file is there after a moment of training, and complete from then on") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  setting.checkpoint_every = 1000.0;
  Reader reader(setting.output);
  const RunFile run = train(setting, &reader);
  CHECK(reader.steps_ > 10);
  CHECK(reader.running_);
  CHECK(run.execution.checkpoints >= 2);  // first, end, and stages that took longer than writing
  CHECK(run.execution.checkpoints <= 5);
}

TEST_CASE("an interrupt, a step limit and a wall limit leave the state to continue from") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  const RunFile whole = train(setting);
  setting.force = true;

  SUBCASE("interrupt") {
    Interrupter interrupter(7);
    const RunFile run = train(setting, &interrupter);
    CHECK(run.state.outcome == Outcome::interrupted);
    CHECK(exit_code(run.state.outcome) == 130);
    CHECK_FALSE(run.baselines.has_value());
  }
  SUBCASE("steps") {
    setting.flow.max_steps = 9;
    const RunFile run = train(setting);
    CHECK(run.state.outcome == Outcome::step_limit);
    CHECK(exit_code(run.state.outcome) == 5);
    CHECK(run.baselines.has_value());
  }
  SUBCASE("wall time") {
    setting.max_wall = 1e-9;
    const RunFile run = train(setting);
    CHECK(run.state.outcome == Outcome::wall_time);
    CHECK(exit_code(run.state.outcome) == 5);
  }
  TrainingState state = read_run(setting.output).state;
  REQUIRE(state.stage < 3);
  const Problem problem = prepare(small_setting());
  const auto objective = make_objective(problem.setting.model, *problem.chains());
  const auto validation = make_objective(problem.setting.model, *problem.validation_chains());
  train_flow(state, problem.setting.stages, *objective, validation.get(), problem.setting.flow,
             nullptr);
  CHECK(state == whole.state);
}

TEST_CASE("drawing is given up on an interrupt, and nothing is written") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  AtPhase observer("drawing chains");
  CHECK_THROWS_AS(train(setting, &observer), Interrupted);
  CHECK_FALSE(std::filesystem::exists(setting.output));
  RankSetting ranked;
  ranked.sampling.count = 100;
  CHECK_THROWS_AS(rank(ranked), Interrupted);
  EvaluateSetting evaluated;
  CHECK_THROWS_AS(evaluate(evaluated), Interrupted);
}

TEST_CASE("baselines are given up on an interrupt, and computed when the run is resumed") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  const Run whole = train(setting);
  setting.force = true;
  {
    AtPhase observer("baselines and standard errors");
    const Run run = train(setting, &observer);
    CHECK(run.state.outcome == Outcome::reached);
    CHECK_FALSE(run.baselines.has_value());
    CHECK_FALSE(run.standard_errors.has_value());
  }
  TrainSetting next;
  next.resume = setting.output;
  const Run run = train(next);
  REQUIRE(run.baselines.has_value());
  CHECK(run.baselines->training.gih_loss == whole.baselines->training.gih_loss);
  CHECK(run.standard_errors->w == whole.standard_errors->w);
}

TEST_CASE("data that were written and read again train to the same bits") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.validation_chains = 0;
  const RunFile drawn = train(setting);
  Sequences sequences = collect(*prepare(setting).chains());
  sequences.parents = {1, 2};
  OutputFile file(directory / "data.h5", false);
  write_data(file, sequences, {});
  TrainSetting given = small_setting();
  given.data = directory / "data.h5";
  const RunFile read = train(given);
  CHECK(read.tokens_hash == drawn.tokens_hash);
  CHECK(read.state == drawn.state);
  CHECK(read.baselines->lags == std::vector<Index>{1, 2});
  CHECK(read.baselines->training.gih_loss == drawn.baselines->training.gih_loss);
  CHECK(drawn.baselines->training.posterior_loss.has_value());
  CHECK_FALSE(read.baselines->training.posterior_loss.has_value());
  CHECK(read.provenance.config.find("alpha") == std::string::npos);
}

TEST_CASE("without known parents a run is held against the lags it looks at") {
  const Directory directory;
  TrainSetting setting = small_setting();
  Sequences sequences = collect(*prepare(setting).chains());
  sequences.parents.clear();
  OutputFile file(directory / "data.h5", false);
  write_data(file, sequences, {});
  setting.data = directory / "data.h5";
  setting.initial.c = 0.01;
  const RunFile run = train(setting);
  const std::vector<double> p = final_parameters(run.state).p();
  const auto leading = std::max_element(p.begin(), p.end()) - p.begin();
  const std::vector<std::vector<Index>> sets{{}, {1}, {2}, {3}, {1, 2}, {1, 3}, {2, 3}};
  CHECK(run.baselines->lags == sets[static_cast<std::size_t>(leading)]);
}

TEST_CASE("bad settings touch no file") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  setting.flow.rtol = -1.0;
  CHECK_FALSE(input_error([&] { train(setting); }).empty());
  CHECK(directory.files() == 0);
}

TEST_CASE("certificates tell how far conserved quantities drift, where the stage conserves them") {
  StageRecord stage;
  Model model;
  model.scores = Scores::tokens;
  model.values = HeadValues::matrix;
  Snapshot snapshot;
  snapshot.parameters = initial_parameters(model, {});
  stage.snapshots.assign(3, snapshot);
  std::vector<double>& key = stage.snapshots[1].parameters.key;
  key[3] += 1e-3;  // a sum over tokens changes
  key[0] -= 1e-3;
  key[1] += 0.25;
  key[4] -= 0.125;  // another one, by 1/8 in all
  stage.snapshots[2].parameters.value[0] += 0.5;
  const auto drifts = [&](const char* blocks) {
    stage.stage.blocks = blocks;
    return certificates(stage).drifts;
  };
  using Drifts = std::vector<std::pair<std::string, double>>;
  const Drifts alone = drifts("qk[1]");  // heads 2 and 3 move Q alone: not balanced
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].first == "key_sum");
  CHECK(alone[0].second == doctest::Approx(0.125));
  const Drifts both = drifts("q[2]k[2]");
  REQUIRE(both.size() == 2);
  CHECK(both[0].first == "balancedness");
  CHECK(both[0].second == doctest::Approx(0.0786).epsilon(0.01));
  for (Snapshot& s : stage.snapshots) s.parameters.gain.assign(3, 1.0);  // of a layer norm
  CHECK(drifts("v").back() == std::pair<std::string, double>("value_sum", 0.5));
}

TEST_CASE("certificates of a stage") {
  StageRecord stage;
  stage.gauge_drift = 1e-9;
  for (const double loss : {1.0, 0.8, 0.85, 0.5}) {
    Snapshot snapshot;
    snapshot.loss = loss;
    snapshot.energy_residual = (loss - 1.0) * 1e-3;
    stage.snapshots.push_back(snapshot);
  }
  const Certificates proof = certificates(stage);
  CHECK(proof.loss_drop == 0.5);
  CHECK(proof.energy_residual == doctest::Approx(5e-4));
  CHECK(proof.relative_residual == doctest::Approx(1e-3));
  CHECK(proof.gauge_drift == 1e-9);
  CHECK(proof.loss_rise == doctest::Approx(0.05));
  stage.snapshots.resize(1);
  CHECK(std::isnan(certificates(stage).relative_residual));
  CHECK(certificates(StageRecord()).loss_drop == 0.0);
}
