#include "gihflow/run/resume.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/run/train.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;

namespace {

TrainSetting small_setting() {
  TrainSetting setting;
  setting.sampling.count = 40;
  setting.sampling.length = 20;
  setting.validation_chains = 10;
  setting.stages = parse_schedule("c:30,w:20,a:10");
  setting.flow.outputs = 9;
  return setting;
}

// Counts the steps of a process, and stops it after so many of them.
class Stopper final : public RunObserver {
 public:
  explicit Stopper(Index steps) : steps_(steps) {}
  void progress(const Progress&) override {
    if (++calls == steps_) interrupt.request();
  }
  void note(const Phrase& text) override { notes += words(text) + "\n"; }
  Interrupt interrupt;
  Index calls = 0;  ///< steps and stage ends
  std::string notes;

 private:
  ContextScope scope_{{.interrupt = &interrupt}};
  Index steps_;
};

Index total(const TrainingState& state, Index StepStatistics::*count) {
  Index sum = 0;
  for (const StageRecord& stage : state.trajectory.stages) sum += stage.statistics.*count;
  return sum;
}

void check_same_run(const RunFile& a, const RunFile& b) {
  CHECK(a.provenance == b.provenance);
  CHECK(a.tokens_hash == b.tokens_hash);
  CHECK(a.validation_hash == b.validation_hash);
  CHECK(a.state == b.state);
  REQUIRE(a.baselines.has_value());
  REQUIRE(b.baselines.has_value());
  CHECK(a.baselines->lags == b.baselines->lags);
  CHECK(a.baselines->training.gih_loss == b.baselines->training.gih_loss);
  CHECK(a.baselines->training.entropy_floor == b.baselines->training.entropy_floor);
  CHECK(a.standard_errors->loss == b.standard_errors->loss);
  CHECK(a.standard_errors->w == b.standard_errors->w);
}

// Runs `setting` through its file in processes of at most `stride` steps each.
RunFile in_pieces(TrainSetting setting, Index stride) {
  TrainSetting next;
  next.resume = setting.output;
  next.checkpoint_every = 1000.0;
  {
    Stopper stopper(stride);
    const RunFile first = train(setting, &stopper);
    if (first.state.outcome == Outcome::reached && first.baselines) return first;
  }
  for (int pieces = 0; pieces < 300; ++pieces) {
    Stopper stopper(stride);
    const RunFile run = train(next, &stopper);
    CHECK(stopper.calls <= stride + 1);
    CHECK(run.execution.processes.back().steps <= stride);
    // Stopped after the last step, it has its end, and its baselines from the next process.
    if (run.state.outcome == Outcome::reached && run.baselines) return run;
    REQUIRE((run.state.outcome == Outcome::interrupted || run.state.outcome == Outcome::reached));
    CHECK_FALSE(run.baselines.has_value());
  }
  FAIL("the run does not come to an end");
  return {};
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a run resumed again and again ends with the bits of one that was never stopped") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  Index stride = 6;
  bool switches = false;
  const auto descent = [&](Optimizer optimizer) {
    setting.method = TrainingMethod::gd;
    setting.optimizer = optimizer;
    stride = 11;
  };
  SUBCASE("dopri5") {
    setting.flow.integrator = Integrator::dopri5;
  }
  SUBCASE("fehlberg78") {
    setting.flow.integrator = Integrator::fehlberg78;
  }
  SUBCASE("rodas5p") {
    setting.flow.integrator = Integrator::rodas5p;
  }
  SUBCASE("auto, stopped around every switch") {
    setting.stages = parse_schedule("cwa:40");
    setting.flow.rtol = 1e-2;
    stride = 1;
    switches = true;
  }
  SUBCASE("infinite context") {
    setting.context = ContextLength::infinite;
  }
  SUBCASE("infinite context, descent") {
    setting.context = ContextLength::infinite;
    descent(Optimizer::gd);
  }
  SUBCASE("gd") {
    descent(Optimizer::gd);
  }
  SUBCASE("momentum") {
    descent(Optimizer::momentum);
  }
  SUBCASE("adam") {
    descent(Optimizer::adam);
    setting.learning_rate = {0.5};
  }
  SUBCASE("minibatches") {
    descent(Optimizer::momentum);
    setting.batch = 9;
  }
  SUBCASE("fresh chains in every step") {
    descent(Optimizer::gd);
    setting.batch = 9;
    setting.resample = true;
  }
  TrainSetting in_memory = setting;
  in_memory.output.clear();
  const RunFile whole = train(in_memory);
  REQUIRE(whole.state.outcome == Outcome::reached);
  CHECK(whole.state.trajectory.stages.front().switches.empty() != switches);
  const RunFile pieced = in_pieces(setting, stride);
  check_same_run(whole, pieced);
  check_same_run(whole, read_run(setting.output));
  CHECK(directory.files() == 1);

  // Each process did its share and no more.
  const auto& processes = pieced.execution.processes;
  CHECK(processes.size() >= 4);
  Index steps = 0, evaluations = 0;
  for (const ProcessRecord& process : processes) {
    steps += process.steps;
    evaluations += process.rhs_evaluations;
  }
  CHECK(steps == total(whole.state, &StepStatistics::accepted_steps) +
                     total(whole.state, &StepStatistics::rejected_steps));
  CHECK(evaluations == total(whole.state, &StepStatistics::rhs_evaluations));
}

TEST_CASE("the processes of a run are told apart, and their times add up") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  setting.command_line = "first";
  Stopper stopper(5);
  const RunFile first = train(setting, &stopper);
  stopper.interrupt.clear();
  REQUIRE(first.execution.processes.size() == 1);
  TrainSetting next;
  next.resume = setting.output;
  next.command_line = "second";
  next.threads = 1;
  const RunFile run = train(next);
  CHECK(run.state.outcome == Outcome::reached);
  REQUIRE(run.execution.processes.size() == 2);
  CHECK(run.execution.processes[0] == first.execution.processes[0]);
  CHECK(run.execution.processes[0].command_line == "first");
  CHECK(run.execution.processes[1].command_line == "second");
  CHECK(run.execution.processes[1].threads == 1);
  CHECK(run.execution.started == first.execution.started);
  CHECK(run.execution.checkpoints > first.execution.checkpoints);
  CHECK(run.execution.wall_seconds ==
        first.execution.wall_seconds + run.execution.processes[1].wall_seconds);
  CHECK(read_run(setting.output).execution == run.execution);
}

TEST_CASE("a run in memory goes on in memory, to the bits of one that was never stopped") {
  TrainSetting setting = small_setting();
  const RunFile whole = train(setting);
  Stopper stopper(9);
  const RunFile part = train(setting, &stopper);
  REQUIRE(part.state.outcome == Outcome::interrupted);
  stopper.interrupt.clear();
  TrainSetting next;
  next.resume = "the run";
  Assembled asked{Setting(next), groups_of<TrainSetting>};
  const auto held = std::make_shared<Resumption>();
  held->path = "the run";
  held->run = part;
  asked.resumed = held;
  const RunFile rest = train(prepare(asked));
  check_same_run(rest, whole);
  CHECK(rest.execution.processes.size() == 2);
  CHECK(rest.execution.checkpoints == 0);
  CHECK_FALSE(std::filesystem::exists("the run"));
}

TEST_CASE("a limit on steps can be raised, and only raised") {
  const Directory directory;
  TrainSetting setting = small_setting();
  const RunFile whole = train(setting);
  setting.output = directory / "run.h5";
  setting.flow.max_steps = 12;
  CHECK(train(setting).state.outcome == Outcome::step_limit);
  const std::string before = contents(setting.output);

  TrainSetting next;
  next.resume = setting.output;
  Stopper none(1000);
  CHECK(train(next, &none).state.outcome == Outcome::step_limit);
  CHECK(none.calls == 0);
  CHECK(none.notes.find("has taken all 12 steps that it may") != std::string::npos);
  next.flow.max_steps = 12;
  CHECK(input_error([&] { train(next); }) ==
        "max-steps 12: must exceed the 12 steps that " + setting.output + " has taken");
  CHECK(contents(setting.output) == before);

  next.flow.max_steps = 15;
  CHECK(train(next).state.outcome == Outcome::step_limit);
  next.flow.max_steps = 1000;
  const RunFile run = train(next);
  CHECK(run.state == whole.state);
  CHECK(run.provenance.config.find("max-steps = 1000\n") != std::string::npos);
}

TEST_CASE("a run with nothing left to do is returned as it is") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  const RunFile whole = train(setting);
  const std::string before = contents(setting.output);
  TrainSetting next;
  next.resume = setting.output;
  Stopper none(1000);
  const RunFile run = train(next, &none);
  CHECK(none.notes ==
        setting.output + " has reached the end of its schedule: nothing is left to do\n");
  CHECK(none.calls == 0);
  CHECK(run.execution == whole.execution);
  CHECK(contents(setting.output) == before);
}

TEST_CASE("a run that was killed between its last step and its end is completed") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  const RunFile whole = train(setting);
  {
    RunFile killed = whole;
    killed.baselines.reset();
    killed.standard_errors.reset();
    OutputFile file(setting.output, true);
    write_run(file, killed);
  }
  TrainSetting next;
  next.resume = setting.output;
  Stopper none(1000);
  check_same_run(whole, train(next, &none));
  CHECK(none.calls == 0);
  check_same_run(whole, read_run(setting.output));
}

TEST_CASE("given files are read again and must be those that the run was begun with") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.validation_chains = 0;
  setting.output = directory / "run.h5";
  const auto write = [&](std::uint64_t seed) {
    TrainSetting other = small_setting();
    other.sampling.seed = seed;
    Sequences sequences = collect(*prepare(other).chains());
    sequences.parents = {1, 2};
    OutputFile file(directory / "data.h5", true);
    write_data(file, sequences, {});
  };
  write(1);
  setting.data = directory / "data.h5";
  setting.parameters = directory / "start.h5";
  {
    TrainSetting other = small_setting();
    other.stages = parse_schedule("w:5");
    other.output = setting.parameters;
    train(other);
  }
  TrainSetting in_memory = setting;
  in_memory.output.clear();
  const RunFile whole = train(in_memory);
  Stopper stopper(5);
  train(setting, &stopper);
  stopper.interrupt.clear();

  TrainSetting next;
  next.resume = setting.output;
  const std::string before = contents(setting.output);
  write(2);
  const std::string message = input_error([&] { train(next); });
  CHECK(message.find("run.h5: the training chains have the hash ") != std::string::npos);
  CHECK(message.find(": must be " + whole.tokens_hash + ",") != std::string::npos);
  std::filesystem::remove(setting.data);
  CHECK(input_error([&] {
          train(next);
        }).find("data.h5: no such file; if it has moved, give data") != std::string::npos);
  CHECK(contents(setting.output) == before);
  std::filesystem::remove(setting.parameters);  // left behind long ago
  write(1);
  std::filesystem::rename(setting.data, directory / "moved.h5");
  next.data = directory / "moved.h5";
  const RunFile moved = train(next);
  CHECK(moved.state == whole.state);
  CHECK(moved.tokens_hash == whole.tokens_hash);
  CHECK(setting_of_config(moved.provenance.config, "config").data == next.data);
}

TEST_CASE("a run of another program version is continued only with force") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  setting.flow.max_steps = 9;
  RunFile run = train(setting);
  const std::string hash = std::exchange(run.tokens_hash, "0123456789abcdef");
  const auto write = [&] {
    OutputFile file(setting.output, true);
    write_run(file, run);
  };
  write();
  TrainSetting next;
  next.resume = setting.output;
  next.flow.max_steps = 1000;
  CHECK(input_error([&] { train(next); }).find("the training chains have the hash " + hash) !=
        std::string::npos);
  run.provenance.git_commit = "0123abc";  // whose chains may differ in the last digits
  write();
  const std::string message = input_error([&] { train(next); }, testing::as_options);
  CHECK(message.find("commit 0123abc") != std::string::npos);
  CHECK(message.find("give --force") != std::string::npos);
  next.force = true;
  Stopper observer(1000);
  CHECK(train(next, &observer).state.outcome == Outcome::reached);
  CHECK(observer.notes.find("the rest may have other bits") != std::string::npos);
  CHECK(read_run(setting.output).provenance.git_commit == git_commit());
  CHECK(read_run(setting.output).tokens_hash == hash);
}

TEST_CASE("a run file that contradicts its config is refused") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  setting.flow.max_steps = 9;
  RunFile run = train(setting);
  run.provenance.seed = 99;
  {
    OutputFile file(setting.output, true);
    write_run(file, run);
  }
  Setting next;
  next.resume = setting.output;
  CHECK(input_error([&] { train(next); }) ==
        setting.output + ": attribute seed 99: must be that of its config, 1");
}

TEST_CASE("a state that does not fit the config is refused in a sentence each") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  bool descends = false;
  SUBCASE("flow") {}
  SUBCASE("descent") {
    descends = true;
    setting.method = TrainingMethod::gd;
    setting.optimizer = Optimizer::momentum;
  }
  setting.flow.max_steps = descends ? 35 : 9;
  const RunFile good = train(setting);
  TrainSetting next;
  next.resume = setting.output;
  next.flow.max_steps = 1000;
  const auto refused = [&](const std::function<void(RunFile&)>& spoil) {
    RunFile bad = good;
    spoil(bad);
    {
      OutputFile file(setting.output, true);
      write_run(file, bad);
    }
    const std::string before = contents(setting.output);
    const std::string message = input_error([&] { train(next); });
    CHECK(contents(setting.output) == before);
    const std::string start = setting.output + ": /checkpoint does not fit the config: ";
    CHECK(message.substr(0, start.size()) == start);
    return message.substr(std::min(start.size(), message.size()));
  };
  CHECK(refused([](RunFile& run) { run.state.stepper.x.pop_back(); }).substr(0, 6) == "x has ");
  const auto flow_of = [](RunFile& run) -> FlowState& {
    return std::get<FlowState>(run.state.stepper.method);
  };
  const auto descent_of = [](RunFile& run) -> DescentState& {
    return std::get<DescentState>(run.state.stepper.method);
  };
  CHECK(refused([](RunFile& run) { run.state.stepper.t = -1.0; }) ==
        "t -1: must be at least 0 and finite");
  CHECK(refused([](RunFile& run) { run.state.stepper.x[0] = NAN; }) == "x: must be finite");
  CHECK(refused([](RunFile& run) { run.state.stepper.dt = 0.0; }) ==
        "dt 0: must be positive and finite");
  CHECK(refused([](RunFile& run) {
          ++run.state.stepper.next_output;
        }).find("must be the number of recorded points") != std::string::npos);
  CHECK(refused([](RunFile& run) { run.state.stage = 7; }) ==
        "stage 7: must be from 0 to 3, the number of stages");
  CHECK(refused([](RunFile& run) {
          run.state.trajectory.stages.back().stage.duration = 31;
        }).find(":31: must be ") != std::string::npos);
  CHECK(refused([](RunFile& run) {
          run.state.trajectory.stages.back().integrator = "euler";
        }).find("euler of stage ") != std::string::npos);
  CHECK(refused([](RunFile& run) { run.vocabulary = 4; }) ==
        "d 4, M 3, H 3, D 2: must be 3, 3, 3, 2");
  if (descends) {
    CHECK(refused([&](RunFile& run) { descent_of(run).moments.push_back(0.0); }).substr(0, 12) ==
          "moments has ");
    CHECK(refused([&](RunFile& run) { descent_of(run).step = 99; }) ==
          "step 99: must be from 0 to 20");
    CHECK(refused([](RunFile& run) { run.state.stepper.method = FlowState{}; }) ==
          "the state is one of the flow: must be one of gradient descent");
  } else {
    CHECK(refused([&](RunFile& run) { flow_of(run).jacobian.push_back(0.0); }) ==
          "jacobian has 1 entries: must be 64");
    CHECK(refused([&](RunFile& run) { flow_of(run).slope.clear(); }) ==
          "slope has 0 entries: must be 8");
    CHECK(refused([&](RunFile& run) { flow_of(run).slope[1] = NAN; }) == "slope: must be finite");
    CHECK(refused([](RunFile& run) { run.state.stepper.method = DescentState{}; }) ==
          "the state is one of gradient descent: must be one of the flow");
    CHECK(refused([](RunFile& run) { run.state.stepper.t = 99.0; }) ==
          "t 99: must be at most the stage's duration, 30");
  }
}

TEST_CASE("a file of the first schema is read and goes on") {
  const Directory directory;
  TrainSetting next;
  next.resume = directory / "run.h5";
  std::filesystem::copy_file(GIHFLOW_TEST_DATA "/record/data/run_schema_1.h5", next.resume);
  const RunFile old = read_run(next.resume);
  CHECK(old.schema_version == 1);
  CHECK(old.state.outcome == Outcome::step_limit);
  CHECK(old.execution.processes.empty());
  CHECK(old.state.trajectory.stages.front().restarts.empty());
  next.force = true;
  next.flow.max_steps = 1000;
  const RunFile run = train(next);
  CHECK(run.state.outcome == Outcome::reached);
  CHECK(run.execution.processes.size() == 1);
  CHECK(read_run(next.resume).schema_version == run_schema_version);
  CHECK(read_run(next.resume).state == run.state);
}
