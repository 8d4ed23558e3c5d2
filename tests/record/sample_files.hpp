#pragma once

// A small good file of every kind that is read, to be damaged.

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/record/sweep_file.hpp"
#include "gihflow/record/sweep_table.hpp"

namespace gihflow::testing {

inline std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline const Provenance sample_provenance{"0.1.0", "abc", "alpha = 0.1\n", 7};

/// 20 sequences of length 7 with targets.
inline void write_data_sample(const std::string& path) {
  Sequences sequences;
  sequences.vocabulary = 3;
  sequences.length = 7;
  sequences.count = 20;
  for (int k = 0; k < 20 * 8; ++k) sequences.tokens.push_back(static_cast<Token>(k * k % 3));
  for (int k = 0; k < 20; ++k) sequences.targets.insert(sequences.targets.end(), {0.25, 0.25, 0.5});
  sequences.parents = {1, 3};
  OutputFile file(path, true);
  write_data(file, sequences, sample_provenance);
}

inline void write_kernel_sample(const std::string& path) {
  Kernels kernels;
  kernels.vocabulary = 2;
  kernels.parents = {1, 2};
  kernels.count = 5;
  for (int k = 0; k < 5 * 4; ++k) kernels.values.insert(kernels.values.end(), {0.125, 0.875});
  OutputFile file(path, true);
  write_kernels(file, kernels, sample_provenance);
}

inline void write_parameter_sample(const std::string& path) {
  Parameters p;
  p.window = 3;
  p.heads = 2;
  p.degree = 2;
  p.set_c(std::vector<double>{0.5, -0.25, 0.125, 1.0});
  p.w = {3.0, 0.01, 0.01, 0.01, 3.0, 0.01};
  p.a = 7.0;
  OutputFile file(path, true);
  write_parameters(file, p, sample_provenance);
}

/// A run that was stopped in the second of two stages.
inline void write_run_sample(const std::string& path) {
  RunFile run;
  run.provenance = sample_provenance;
  run.vocabulary = 2;
  run.lags = {1, 2};
  TrainingState& state = run.state;
  state.start.window = 2;
  state.start.heads = 1;
  state.start.degree = 1;
  state.start.set_c(std::vector<double>{0.5, -0.25});
  state.start.w = {3.0, 0.01};
  state.initial = state.start;
  state.stage = 1;
  state.outcome = Outcome::interrupted;
  state.stepper = {true,
                   2,
                   1.5,
                   0.25,
                   {0.1, -0.0, 1e300},
                   FlowState{{1, 2, 3}, 1e-4, {}, true, false, true, 4, 5, -7}};
  Snapshot snapshot;
  snapshot.parameters = state.start;
  snapshot.validation_loss = std::numeric_limits<double>::quiet_NaN();  // of no validation chains
  StageRecord stage;
  stage.stage = {.blocks = "ca", .duration = 2000.0};
  stage.snapshots = {snapshot, snapshot, snapshot};
  stage.switches = {{0.5, "dopri5", "rosenbrock4", "stiff"}};
  stage.restarts = {{state.stepper, {}, 1e-8}};
  state.trajectory.stages = {stage, stage};
  run.execution.processes.resize(2);
  OutputFile file(path, true);
  write_run(file, run);
}

/// Two runs in a table, with texts, numbers, one that is absent, and vectors.
inline SweepFile sample_sweep() {
  SweepFile file;
  file.plan = "[grid]\nalpha = [0.1, 1]\n";
  file.shape.heads = 1;
  file.shape.window = 2;
  file.shape.degree = 1;
  file.shape.set_c(std::vector<double>{1.0, 1.0});
  file.shape.w = {0.0, 0.0};
  file.columns = {
      {"member", "name", "1", "", {std::string("first"), std::string("second")}},
      {"alpha", "of the prior", "1", "", {0.1, 1.0}},
      {"loss", "training loss", "nats", "", {RecordValue(), 0.5}},
      {"rhs_evaluations", "gradients", "1", "", {Index{3}, Index{4}}},
      {"p", "weights", "1", "S", {std::vector<double>{0.25, 0.75}, std::vector<double>{1, 0}}},
      {"w", "logits", "1", "HM", {std::vector<double>{1, 2}, std::vector<double>{3, 4}}}};
  return file;
}
inline void write_sweep_sample(const std::string& path) {
  OutputFile file(path, true);
  write_sweep(file, sample_sweep());
}

/// How a kind of file is made and read.
struct InputKind {
  void (*write)(const std::string& path);
  void (*read)(const std::string& path, Isolation isolation);
};
inline std::vector<InputKind> input_kinds() {
  return {{write_data_sample, [](const std::string& path, Isolation how) { read_data(path, how); }},
          {write_kernel_sample,
           [](const std::string& path, Isolation how) { read_kernels(path, how); }},
          {write_parameter_sample,
           [](const std::string& path, Isolation how) { read_parameters(path, how); }},
          {write_run_sample, [](const std::string& path, Isolation how) { read_run(path, how); }},
          {write_sweep_sample,
           [](const std::string& path, Isolation how) { read_sweep_table(path, how); }}};
}

}  // namespace gihflow::testing
