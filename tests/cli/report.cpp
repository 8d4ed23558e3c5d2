#include "cli/report.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "cli/json.hpp"

using namespace gihflow;
using namespace gihflow::cli;

namespace {

// One head with two lags, of whose two subsets {1} has 0.8 of the weight; two recorded points.
RunFile small_run() {
  RunFile run;
  run.vocabulary = 2;
  run.lags = {1, 2};
  run.tokens_hash = "abc";
  TrainingState& state = run.state;
  state.start.window = 2;
  state.start.heads = 1;
  state.start.degree = 1;
  state.start.set_c(std::vector<double>{0.5, -1.0});
  state.start.w = {std::log(3.0), 0.0};
  state.start.a = 2.5;
  state.initial = state.start;
  state.outcome = Outcome::reached;
  StageRecord stage;
  stage.stage = {.blocks = "c", .duration = 10.0};
  stage.outcome = Outcome::reached;
  Snapshot snapshot;
  snapshot.parameters = state.start;
  snapshot.loss = 0.75;
  snapshot.validation_loss = std::numeric_limits<double>::quiet_NaN();
  stage.snapshots.push_back(snapshot);
  snapshot.t = 10.0;
  snapshot.loss = 0.25;
  stage.snapshots.push_back(snapshot);
  stage.statistics.rhs_evaluations = 42;
  state.trajectory.stages = {stage};
  return run;
}

}  // namespace

TEST_CASE("the report of a run: outcome, stages, weights, attention and loss") {
  RunFile run = small_run();
  const std::string text = run_report(run);
  CHECK(text.starts_with("outcome: the end of the schedule was reached\n"));
  for (const char* part : {"1 c ", " 42 ", " 0.5 ", "{1} 0.800000   {} 0.200000", "0.750000",
                           "0.250000", "2.5", "trained model", "0.25"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  CHECK(text.find("validation") == std::string::npos);  // there are no validation chains
  CHECK(text.find("rises") == std::string::npos);

  run.state.outcome = Outcome::interrupted;
  run.state.trajectory.stages.front().snapshots.back().loss = 1.0;
  run.state.trajectory.stages.front().snapshots.back().t = 7.0;
  run.validation_hash = "def";
  const std::string other = run_report(run);
  CHECK(other.starts_with("outcome: interrupted\n"));
  CHECK(other.find("7 of 10") != std::string::npos);
  CHECK(other.find("stage 1: the recorded loss rises by 2.50e-01 nats somewhere") !=
        std::string::npos);
  CHECK(other.find("validation") != std::string::npos);
}

TEST_CASE("an infinite loss is told with its cause") {
  RunFile run = small_run();
  run.state.trajectory.stages.front().snapshots.back().loss =
      std::numeric_limits<double>::infinity();
  CHECK(run_report(run).find(std::string("stage 1: ") + infinite_loss) != std::string::npos);
}

TEST_CASE("a run without a recorded point is its outcome alone") {
  RunFile run = small_run();
  run.state.trajectory.stages.clear();
  CHECK(run_report(run) == "outcome: the end of the schedule was reached\n\n");
}

TEST_CASE("JSON of a run holds its numbers, what is undefined is null") {
  const Json json = Json::parse(run_json(small_run(), "x.h5"));
  CHECK(json["file"] == "x.h5");
  CHECK(json["outcome"] == "reached");
  CHECK(json["stages"][0]["rhs_evaluations"] == 42);
  CHECK(json["stages"][0]["trained"] == "c");
  CHECK(json["stages"][0]["loss_drop"] == 0.5);
  CHECK(json["stages"][0]["validation_loss"].is_null());
  CHECK(json["final"]["subsets"] == Json::parse("[[], [1]]"));
  CHECK(json["final"]["c"] == Json::parse("[0.5, -1.0]"));
  CHECK(json["final"]["attention"][0][0].get<double>() == doctest::Approx(0.75));
  CHECK(json["final"]["a"] == 2.5);
  CHECK(!json.contains("validation_tokens_hash"));
  CHECK(!json.contains("baselines"));
  CHECK(Json::parse(run_json(small_run(), ""))["file"].is_null());
}
