#include "gihflow/run/audit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/run/train.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"
#include "support/threads.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;

namespace {

TrainSetting small_setting(const Directory& directory) {
  TrainSetting setting;
  setting.sampling.count = 40;
  setting.sampling.length = 20;
  setting.validation_chains = 10;
  setting.stages = parse_schedule("c:30,w:20,a:10");
  setting.flow.outputs = 9;
  setting.output = directory / "run.h5";
  return setting;
}

Index total(const TrainingState& state, Index StepStatistics::*count) {
  Index sum = 0;
  for (const StageRecord& stage : state.trajectory.stages) sum += stage.statistics.*count;
  return sum;
}

// Every stretch of a file passes, and together they are the run. Returns how many there are.
std::size_t check_all_pass(const std::string& path) {
  const Auditor auditor(path);
  CHECK(auditor.notes().empty());
  const TrainingState& state = auditor.run().state;
  Index steps = 0, evaluations = 0;
  std::size_t outputs = 0;
  for (const Stretch& stretch : stretches(state)) {
    const Audit audit = auditor.audit(stretch);
    CHECK_MESSAGE(audit.passed(), "stretch ", stretch.number, ": ", audit.failure);
    CHECK(audit.quantities.size() >= 11);
    steps += stretch.steps;
    evaluations += stretch.rhs_evaluations;
    outputs += static_cast<std::size_t>(audit.outputs);
  }
  CHECK(steps == total(state, &StepStatistics::accepted_steps) +
                     total(state, &StepStatistics::rejected_steps));
  CHECK(evaluations == total(state, &StepStatistics::rhs_evaluations));
  std::size_t recorded = 0;
  for (const StageRecord& stage : state.trajectory.stages) recorded += stage.snapshots.size();
  CHECK(outputs == recorded);
  return stretches(state).size();
}

}  // namespace

TEST_CASE("every stretch of a run can be computed again to the same bits") {
  const Directory directory;
  TrainSetting setting = small_setting(directory);
  SUBCASE("dopri5") {
    setting.flow.integrator = Integrator::dopri5;
  }
  SUBCASE("fehlberg78") {
    setting.flow.integrator = Integrator::fehlberg78;
  }
  SUBCASE("rodas5p") {
    setting.flow.integrator = Integrator::rodas5p;
  }
  SUBCASE("auto, through a switch") {
    setting.stages = parse_schedule("cwa:40");
    setting.flow.rtol = 1e-2;
  }
  SUBCASE("infinite context") {
    setting.context = ContextLength::infinite;
  }
  SUBCASE("gradient descent on minibatches") {
    setting.method = TrainingMethod::gd;
    setting.optimizer = Optimizer::momentum;
    setting.batch = 9;
  }
  SUBCASE("adam on fresh chains") {
    setting.method = TrainingMethod::gd;
    setting.optimizer = Optimizer::adam;
    setting.learning_rate = {0.5};
    setting.batch = 9;
    setting.resample = true;
  }
  SUBCASE("stopped by a limit") {
    setting.flow.max_steps = 21;
  }
  const RunFile run = train(setting);
  if (setting.stages.size() == 1) CHECK_FALSE(run.state.trajectory.stages[0].switches.empty());
  CHECK(check_all_pass(setting.output) >= 10);
}

TEST_CASE("a stage keeps few states, evenly spaced in steps, whatever its length") {
  const Directory directory;
  TrainSetting setting = small_setting(directory);
  setting.method = TrainingMethod::gd;
  for (const Index steps : {1, 2, 15, 16, 17, 31, 32, 33, 100}) {
    setting.stages = {{.blocks = "a", .duration = static_cast<double>(steps)}};
    setting.output.clear();
    const auto restarts = train(setting).state.trajectory.stages[0].restarts;
    const Index stride = restarts.empty() ? 1 : restarts[0].statistics.accepted_steps;
    CHECK(static_cast<Index>(restarts.size()) == steps / stride);
    CHECK(static_cast<Index>(restarts.size()) < most_restart_points);
    CHECK((stride == 1 || steps / (stride / 2) >= most_restart_points));
    for (std::size_t k = 0; k < restarts.size(); ++k) {
      CHECK(restarts[k].statistics.accepted_steps == stride * static_cast<Index>(k + 1));
      CHECK(restarts[k].stepper.t == static_cast<double>(restarts[k].statistics.accepted_steps));
    }
  }
}

TEST_CASE("stopping and continuing moves none of the states that are kept") {
  const Directory directory;
  TrainSetting setting = small_setting(directory);
  setting.flow.max_steps = 23;
  train(setting);
  TrainSetting next;
  next.resume = setting.output;
  next.flow.max_steps = 10000;
  train(next);
  CHECK(check_all_pass(setting.output) >= 18);
}

TEST_CASE("a planted difference of one bit fails in the stretch that it is in, and there alone") {
  const Directory directory;
  TrainSetting setting = small_setting(directory);
  const RunFile good = train(setting);
  const auto failures = [&](const std::function<void(RunFile&)>& plant) {
    RunFile bad = good;
    plant(bad);
    {
      OutputFile file(setting.output, true);
      write_run(file, bad);
    }
    const Auditor auditor(setting.output);
    std::vector<Audit> failed;
    for (const Stretch& stretch : stretches(auditor.run().state)) {
      const Audit audit = auditor.audit(stretch);
      if (!audit.passed()) failed.push_back(audit);
    }
    return failed;
  };
  const auto nudge = [](double& x) { x = std::nextafter(x, 10.0); };
  const auto quantity = [](const Audit& audit, const std::string& name) {
    for (const AuditedQuantity& q : audit.quantities)
      if (q.name == name) return q;
    return AuditedQuantity();
  };
  CHECK(failures([](RunFile&) {}).empty());

  // A recorded point is compared, and nothing is computed from it unless it ends a stage.
  const auto point = failures(
      [&](RunFile& run) { nudge(run.state.trajectory.stages[1].snapshots[4].parameters.w[2]); });
  REQUIRE(point.size() == 1);
  CHECK(point[0].stretch.stage == 2);
  const AuditedQuantity w = quantity(point[0], "w");
  CHECK(w.numbers.different == 1);
  CHECK(w.numbers.ulp == 1);
  CHECK(w.first == OutputPosition{2, 4, good.state.trajectory.stages[1].snapshots[4].t});
  CHECK(quantity(point[0], "loss").numbers.different == 0);

  // A state that was kept ends one stretch and begins the next one.
  const auto state = failures(
      [&](RunFile& run) { nudge(run.state.trajectory.stages[0].restarts[5].stepper.x[0]); });
  REQUIRE(state.size() == 2);
  CHECK(state[0].stretch.number + 1 == state[1].stretch.number);
  CHECK(quantity(state[0], "state").numbers.different == 1);
  CHECK(quantity(state[0], "loss").numbers.different == 0);

  const auto count =
      failures([&](RunFile& run) { ++run.state.trajectory.stages[2].statistics.rhs_evaluations; });
  REQUIRE(count.size() == 1);
  CHECK(quantity(count[0], "counts").numbers.different == 1);

  // A stage begins where the one before it ended.
  const auto end = failures([&](RunFile& run) {
    nudge(run.state.trajectory.stages[0].snapshots.back().parameters.log_c_squared[4]);
  });
  REQUIRE(end.size() >= 2);
  CHECK(end[0].stretch.stage == 1);
  CHECK(end[1].stretch.stage == 2);
  CHECK(end[1].stretch.begin == 0.0);
}

TEST_CASE("what does not fit its config fails or is refused, and nothing crashes") {
  const Directory directory;
  TrainSetting setting = small_setting(directory);
  const RunFile good = train(setting);
  const auto write = [&](const std::function<void(RunFile&)>& spoil) {
    RunFile bad = good;
    spoil(bad);
    OutputFile file(setting.output, true);
    write_run(file, bad);
  };
  const auto first_failure = [&] {
    const Auditor auditor(setting.output);
    for (const Stretch& stretch : stretches(auditor.run().state)) {
      const Audit audit = auditor.audit(stretch);
      if (!audit.passed()) return audit.failure;
    }
    return std::string("none");
  };
  const std::string unfit = "the state that it begins with does not fit the config";
  write([](RunFile& run) {
    for (RestartPoint& point : run.state.trajectory.stages[0].restarts) point.stepper.x.pop_back();
  });
  CHECK(first_failure() == "the state at the end has another size");
  write(
      [](RunFile& run) { run.state.trajectory.stages[0].restarts[0].stepper.next_output = 1000; });
  CHECK_FALSE(first_failure() == "none");
  write([](RunFile& run) { run.state.trajectory.stages[1].stage.duration = 21; });
  CHECK(first_failure() == unfit);
  write([](RunFile& run) { run.state.trajectory.stages[0].snapshots.pop_back(); });
  CHECK(first_failure() == "9 outputs were computed up to the end, and 8 are recorded");
  write([](RunFile& run) { run.vocabulary = 4; });
  CHECK(input_error([&] {
          Auditor auditor(setting.output);
        }).find("does not fit its config: d 4, M 3, H 3, D 2: must be 3, 3, 3, 2") !=
        std::string::npos);
  write([](RunFile& run) { run.tokens_hash = "0000000000000000"; });
  CHECK(input_error([&] {
          Auditor auditor(setting.output);
        }).find("must be 0000000000000000, that of the chains") != std::string::npos);
  write([](RunFile& run) { run.provenance.git_commit = "0123abc"; });
  CHECK(Auditor(setting.output).notes().size() == 1);
}
