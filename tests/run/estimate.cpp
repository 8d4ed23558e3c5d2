#include "gihflow/run/estimate.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "gihflow/base/memory.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/run/train.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;

namespace {

TrainSetting small_setting() {
  TrainSetting setting;
  setting.sampling.count = 40;
  setting.validation_chains = 10;
  setting.stages = parse_schedule("c:10,a:10");
  return setting;
}

}  // namespace

TEST_CASE("sizes of the paper's setting") {
  const Estimate size = estimate(prepare(TrainSetting()));
  CHECK(size.chains == 9000);
  CHECK(size.validation_chains == 1000);
  CHECK(size.windows == 27);
  CHECK(size.pairs_per_chain == 81);
  CHECK(size.subsets == 7);
  CHECK(size.parameters == 17);
  CHECK(size.outputs == 600);
  CHECK(size.memory_limit == static_cast<double>(memory_limit()));
}

TEST_CASE("partial windows are counted with their blanks") {  // (4.4): 3^3 + 1 + 3 + 9
  TrainSetting setting;
  setting.model.boundary = Boundary::partial;
  CHECK(estimate(prepare(setting)).windows == 40);
  setting.model.boundary = Boundary::masked;
  setting.model.head_lags = {{1, 2, 60}};
  CHECK(estimate(prepare(setting)).windows == 27);
}

TEST_CASE("memory and disk are upper bounds") {
  const Directory directory;
  TrainSetting setting = small_setting();
  setting.output = directory / "run.h5";
  for (const Index outputs : {2, 50, 2000}) {
    setting.flow.outputs = outputs;
    setting.force = true;
    const Problem problem = prepare(setting);
    const Estimate size = estimate(problem);
    train(problem);
    CHECK(static_cast<double>(std::filesystem::file_size(setting.output)) <= size.disk);
  }
  for (const Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
    for (const Index length : {10, 200, 3000}) {
      for (const char* preset : {"paper", "reference"}) {
        TrainSetting other;
        apply_preset(other, preset);
        other.sampling.length = length;
        other.sampling.count = 500;
        other.validation_chains = 0;
        other.engine = engine;
        const Problem problem = prepare(other);
        const auto objective = make_objective(problem.setting.model, *problem.chains(), engine);
        CHECK(static_cast<double>(objective->memory()) <= estimate(problem).memory);
      }
    }
  }
}

TEST_CASE("sizes beyond the machine are errors with the number") {
  Problem problem = prepare(small_setting());
  Estimate size = estimate(problem);
  CHECK(estimate_errors(problem, size).empty());
  size.memory = 3.0 * size.memory_limit;
  REQUIRE(estimate_errors(problem, size).faults().size() == 1);
  CHECK(testing::sentences(estimate_errors(problem, size))
            .front()
            .find(to_string_bytes(size.memory)) != std::string::npos);
  problem.setting.output = "run.h5";
  size.disk = 1e30;
  CHECK(estimate_errors(problem, size).faults().size() == 2);
}

TEST_CASE("bytes are told in units of 1024") {
  CHECK(to_string_bytes(0) == "0 B");
  CHECK(to_string_bytes(1023) == "1023 B");
  CHECK(to_string_bytes(1536) == "1.5 KiB");
  CHECK(to_string_bytes(3.0 * 0x1p30) == "3.0 GiB");
}

TEST_CASE("the time of gradient descent follows from its steps") {
  TrainSetting setting = small_setting();
  setting.method = TrainingMethod::gd;
  setting.learning_rate = {0.25};
  setting.batch = 10;
  const TimeEstimate time = estimate_time(prepare(setting));
  CHECK(time.counted);
  CHECK(time.gradients == 20.0);  // 80 steps of a quarter of the chains
  CHECK(time.gradient > 0.0);
  CHECK(time.seconds() == time.statistics + 20.0 * time.gradient);
  setting.batch = 0;
  CHECK(estimate_time(prepare(setting)).gradients == 80.0);
  setting.method = TrainingMethod::flow;
  CHECK_FALSE(estimate_time(prepare(setting)).counted);
  setting.context = ContextLength::infinite;
  CHECK(estimate_time(prepare(setting)).gradient > 0.0);
  CompareSetting comparison;
  comparison.stages = setting.stages;
  comparison.learning_rates = {1.0, 0.1};
  // Steps at both rates; of either stage the flow, both modified flows and the sharpness.
  CHECK(comparison.flow.outputs == 200);
  CHECK(estimate_time(prepare(comparison)).gradients ==
        20.0 + 200.0 + 2.0 * (300.0 + 2.0 * 1200.0 + 200.0 * 30.0));
}

TEST_CASE("durations in words") {
  CHECK(to_string_duration(0.0005) == "0.5 ms");
  CHECK(to_string_duration(0.0994) == "99 ms");
  CHECK(to_string_duration(0.0996) == "100 ms");
  CHECK(to_string_duration(0.4449) == "440 ms");
  CHECK(to_string_duration(3.0) == "3 s");
  CHECK(to_string_duration(200.0) == "3.3 min");
  CHECK(to_string_duration(10000.0) == "2.8 h");
  CHECK(to_string_duration(1e6) == "12 days");
  CHECK(to_string_duration(1e11) == "3170 years");
  CHECK(to_string_duration(1e14) == "3.2e+06 years");
}
