#include "gihflow/record/run_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "gihflow/flow/flow.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/record/schema.hpp"
#include "record/raw_file.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;
using gihflow::testing::RawFile;

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

Parameters parameters(double shift) {
  Parameters p;
  p.window = 2;
  p.heads = 2;
  p.degree = 1;
  p.log_c_squared = {-15000.0 + shift, 0.1, -std::numeric_limits<double>::infinity()};
  p.c_sign = {-1, 1, 0};
  p.w = {3.0 + shift, 0.01, 0.1, 1.0 / 3.0};
  p.a = shift;
  return p;
}

Snapshot snapshot(double t, bool validated) {
  Snapshot s;
  s.t = t;
  s.parameters = parameters(t / 3.0);
  s.loss = 1.0 / (1.0 + t);
  s.validation_loss = validated ? 1.1 / (1.0 + t) : undefined;
  s.gradient_norm = 0.3;
  s.dissipated = 0.2 * t;
  s.energy_residual = -1e-17;
  return s;
}

RunFile example(bool validated) {
  RunFile run;
  run.provenance = {"0.1.0", "abc-dirty", "alpha = 0.1\n# µ\n", 12345678901234567};
  run.vocabulary = 3;
  run.lags = {1, 2, 2, 3};
  run.tokens_hash = "0123456789abcdef";
  if (validated) run.validation_hash = "fedcba9876543210";
  TrainingState& state = run.state;
  state.initial = parameters(0.5);
  state.start = parameters(0.0);
  state.stage = 1;
  state.outcome = Outcome::interrupted;
  state.stepper = {true,
                   2,
                   1.5,
                   0.25,
                   {0.1, -0.0, 1e300},
                   FlowState{{1, 2, 3}, 1e-4, {}, true, false, true, 4, 5, -7}};
  StageRecord first;
  first.stage = {.blocks = "ca", .duration = 2000.0};
  first.snapshots = {snapshot(0, validated), snapshot(0.1, validated), snapshot(2000, validated)};
  first.statistics = {11, 3, 12, 13, 14, 15};
  first.outcome = Outcome::reached;
  first.integrator = "auto";
  first.switches = {{0.5, "dopri5", "rosenbrock4", "stiff: h·λ = 3.3"},
                    {7.5, "rosenbrock4", "dopri5", ""}};
  first.gauge_drift = 1e-7;
  first.restarts = {{{true,
                      1,
                      0.05,
                      0.1,
                      {1, 2, 3},
                      FlowState{{4, 5, 6}, 1e-4, {}, false, false, false, 0, -7, 1}},
                     {1, 0, 2, 3, 4, 5},
                     1e-8},
                    {{true,
                      2,
                      1.0,
                      2.0,
                      {3, 2, -0.0},
                      FlowState{{6, 5, 4}, 2e-4, {}, true, false, false, 7, 2, 3}},
                     {6, 0, 7, 8, 9, 10},
                     2e-8}};
  StageRecord second = first;
  second.stage = {.blocks = "w", .duration = 3.0};
  second.snapshots.resize(1);
  second.outcome = Outcome::interrupted;
  second.switches.clear();
  second.hint = "try this";
  state.trajectory.stages = {first, second};
  run.execution.host = "here";
  run.execution.threads = 2;
  run.execution.wall_seconds = 0.75;
  run.execution.command_line = "gihflow train --alpha 0.1";
  return run;
}

RunFile written_and_read(const RunFile& run, const std::string& path) {
  OutputFile file(path, true);
  write_run(file, run);
  return read_run(path);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a run read back is the run written, bit for bit") {
  const Directory directory;
  for (const bool validated : {false, true}) {
    const RunFile run = example(validated);
    const RunFile back = written_and_read(run, directory / "run.h5");
    CHECK(back.schema_version == run.schema_version);
    CHECK(back.provenance == run.provenance);
    CHECK(back.vocabulary == run.vocabulary);
    CHECK(back.lags == run.lags);
    CHECK(back.tokens_hash == run.tokens_hash);
    CHECK(back.validation_hash == run.validation_hash);
    CHECK(back.state == run.state);
    CHECK(back.execution == run.execution);
    CHECK_FALSE(back.baselines.has_value());
    CHECK_FALSE(back.standard_errors.has_value());
  }
}

TEST_CASE("baselines and standard errors are kept, what is undefined too") {
  const Directory directory;
  RunFile run = example(true);
  run.baselines = RunBaselines{{1, 2}, {}, Baselines{}};
  Baselines& training = run.baselines->training;
  training.gih_loss = 0.5;
  training.gih_loss_error = 0.01;
  training.posterior_loss = 0.4;
  training.posterior_loss_error = 0.02;
  training.entropy_floor = 0.3;
  training.entropy_floor_error = undefined;
  training.bigram = {0.6, 0.03, 0.7, 0.04};
  run.accuracy = RunAccuracy{0.8, 0.05, {}, {}};
  run.baselines->validation->gih_loss = 0.55;
  run.standard_errors.emplace();
  run.standard_errors->loss = undefined;
  run.standard_errors->c = {1, 2, 3};
  run.standard_errors->w = {4, 5, 6, 7};
  run.standard_errors->a = 8;
  const RunFile back = written_and_read(run, directory / "run.h5");
  REQUIRE(back.baselines.has_value());
  CHECK(back.baselines->lags == std::vector<Index>{1, 2});
  CHECK(back.baselines->training.gih_loss == 0.5);
  CHECK(back.baselines->training.gih_loss_error == 0.01);
  CHECK(back.baselines->training.posterior_loss == 0.4);
  CHECK(back.baselines->training.posterior_loss_error == 0.02);
  CHECK(back.baselines->training.bigram.loss == 0.6);
  CHECK(back.baselines->training.bigram.accuracy_error == 0.04);
  CHECK_FALSE(back.baselines->training.unigram.loss.has_value());
  CHECK(back.accuracy == run.accuracy);
  CHECK(back.baselines->training.entropy_floor == 0.3);
  CHECK(std::isnan(back.baselines->training.entropy_floor_error));
  REQUIRE(back.baselines->validation.has_value());
  CHECK(back.baselines->validation->gih_loss == 0.55);
  CHECK_FALSE(back.baselines->validation->posterior_loss.has_value());
  REQUIRE(back.standard_errors.has_value());
  CHECK(std::isnan(back.standard_errors->loss));
  CHECK(back.standard_errors->c == run.standard_errors->c);
  CHECK(back.standard_errors->w == run.standard_errors->w);
  CHECK(back.standard_errors->a == 8.0);
}

TEST_CASE("a run is read back whose last numbers are not finite") {
  const Directory directory;
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {undefined, infinite, -infinite}) {
    RunFile run = example(true);
    run.state.outcome = Outcome::non_finite;
    Snapshot& last = run.state.trajectory.stages.back().snapshots.back();
    last.loss = last.validation_loss = last.gradient_norm = last.dissipated = bad;
    last.parameters.w.front() = last.parameters.a = bad;
    const RunFile back = written_and_read(run, directory / "run.h5");
    const Snapshot& read = back.state.trajectory.stages.back().snapshots.back();
    for (const double number : {read.loss, read.validation_loss, read.gradient_norm,
                                read.parameters.w.front(), read.parameters.a}) {
      CHECK((number == bad || (std::isnan(number) && std::isnan(bad))));
    }
  }
}

TEST_CASE("a run that has recorded nothing yet is a file like any other") {
  const Directory directory;
  RunFile run = example(false);
  run.state = begin_training(parameters(0.0));
  const RunFile back = written_and_read(run, directory / "run.h5");
  CHECK(back.state == run.state);
  CHECK(read_parameters(directory / "run.h5") == parameters(0.0));
}

TEST_CASE("a run file is a parameter file through its last recorded point") {
  const Directory directory;
  const RunFile run = example(true);
  written_and_read(run, directory / "run.h5");
  CHECK(read_parameters(directory / "run.h5") ==
        run.state.trajectory.stages.back().snapshots.back().parameters);
}

TEST_CASE("equal runs are equal files, whenever they are written") {
  const Directory directory;
  written_and_read(example(true), directory / "a.h5");
  const std::string first = contents(directory / "a.h5");
  written_and_read(example(true), directory / "b.h5");
  CHECK(first == contents(directory / "b.h5"));
  CHECK(first.size() > 10000);
}

TEST_CASE("what is no run file, or of a later schema, is refused") {
  const Directory directory;
  const std::string path = directory / "other.h5";
  { RawFile file(path); }
  CHECK(input_error([&] { read_run(path); }) ==
        path + ": is not a run file; must be one that gihflow train wrote");
  RunFile later = example(true);
  later.schema_version = 99;
  OutputFile file(directory / "later.h5", false);
  write_run(file, later);
  CHECK(input_error([&] { read_run(directory / "later.h5"); }) ==
        directory / "later.h5" +
            ": schema_version 99: must be from 1 to 2, what this program knows");
}

TEST_CASE("a truncated run file is bad input, not a crash") {
  const Directory directory;
  written_and_read(example(true), directory / "run.h5");
  const std::string whole = contents(directory / "run.h5");
  for (const std::size_t kept :
       {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(directory / "cut.h5", std::ios::binary) << whole.substr(0, kept);
    CHECK(input_error([&] {
            read_run(directory / "cut.h5");
          }).starts_with(directory / "cut.h5" + ": "));
  }
}

TEST_CASE("a run file with a dataset of another shape is refused by name") {
  const Directory directory;
  const std::string path = directory / "run.h5";
  written_and_read(example(true), path);
  {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "/stage_1/loss", H5P_DEFAULT);
    const hsize_t size = 2;
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    H5Dclose(H5Dcreate2(file, "/stage_1/loss", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT,
                        H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
  }
  CHECK(input_error([&] { read_run(path); }) ==
        path + ": /stage_1/loss has shape [2]: must be [3]");
}

TEST_CASE("a file of schema 2 is read") {
  const RunFile run = read_run(GIHFLOW_TEST_DATA "/record/data/run_schema_2.h5");
  CHECK(run.schema_version == 2);
  CHECK(run.vocabulary == 3);
  CHECK(run.provenance.seed == 1);
  CHECK_FALSE(run.validation_hash.empty());
  CHECK(run.execution.processes.size() == 1);
  const TrainingState& state = run.state;
  CHECK(state.outcome == Outcome::step_limit);
  REQUIRE(state.trajectory.stages.size() == 3);
  CHECK(state.stepper.active);
  Index steps = 0;
  for (const StageRecord& stage : state.trajectory.stages) {
    CHECK_FALSE(stage.snapshots.empty());
    CHECK_FALSE(stage.restarts.empty());
    CHECK(stage.snapshots.front().validation_loss > 0.0);
    steps += stage.statistics.accepted_steps + stage.statistics.rejected_steps;
  }
  CHECK(steps == 24);
  CHECK(state.trajectory.stages.front().snapshots.back().t == 20.0);
}

TEST_CASE("the columns of a snapshot hold all of it") {
  const Snapshot original = snapshot(0.75, true);
  Snapshot copy;
  copy.parameters = parameters(99.0);
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.set != nullptr) column.set(copy, column.get(original));
  }
  CHECK(copy == original);
}
