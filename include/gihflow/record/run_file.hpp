#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/isolation.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/theory/predictors.hpp"

namespace GIHFLOW_API gihflow {

inline constexpr int run_schema_version = 2;

/// One process that computed a run: the first one, or one that resumed it.
struct ProcessRecord {
  std::string started;   ///< UTC, ISO 8601
  std::string finished;  ///< of the last write
  std::string host;
  std::string command_line;
  std::string program_version;
  std::string git_commit;
  std::string instruction_set;
  Index threads = 0;          ///< of each process
  Index ranks = 1;            ///< processes that shared the chains (MPI)
  Index steps = 0;            ///< taken by it, rejected ones included
  Index rhs_evaluations = 0;  ///< in its steps
  double wall_seconds = 0.0;

  bool operator==(const ProcessRecord&) const = default;
};

/// Where, when and how fast a run was computed, which does not determine its results. For a resumed
/// run texts, `threads` and `ranks` are those of the last process, `started` is that of the first,
/// and counts and seconds are sums.
struct Execution {
  std::string host;
  std::string device;  ///< "cpu", or "cuda, " and the card's name
  Index threads = 0;   ///< of each process
  Index ranks = 1;     ///< processes that shared the chains (MPI)
  std::string command_line;
  std::string output;
  std::string started;   ///< UTC, ISO 8601
  std::string finished;  ///< of the last write
  std::string compiler;
  std::string compiler_flags;
  std::string instruction_set;
  std::string library_versions;
  Index checkpoints = 0;            ///< times the file was written
  double wall_seconds = 0.0;        ///< so far
  double statistics_seconds = 0.0;  ///< of these: drawing or reading chains, building statistics
  double flow_seconds = 0.0;        ///< of these: training, checkpoints included
  double report_seconds = 0.0;      ///< of these: baselines and standard errors
  std::vector<ProcessRecord> processes;  ///< in order of time; empty in files of older programs

  bool operator==(const Execution&) const = default;
};

/// Reference losses (8.1) and (8.3) on the chains of the run.
struct RunBaselines {
  std::vector<Index> lags;  ///< S of GIH(S)
  Baselines training;
  std::optional<Baselines> validation;
};

/// Accuracy (8.4) of the model at /final, with standard errors over chains.
struct RunAccuracy {
  std::optional<double> training, training_error;  ///< absent in infinite context
  std::optional<double> validation, validation_error;

  bool operator==(const RunAccuracy&) const = default;
};

/// A training run: all that its file holds. The layout is described in docs/schema.md.
struct RunFile {
  int schema_version = run_schema_version;
  Provenance provenance;
  Index vocabulary = 0;         ///< d
  std::vector<Index> lags;      ///< lag that each component of each head looks at (2.1) [H, M]
  std::string tokens_hash;      ///< data_hash of the training chains
  std::string validation_hash;  ///< of the validation chains; empty without any
  TrainingState state;          ///< what was recorded, and the checkpoint to continue from
  std::optional<RunBaselines> baselines;          ///< only once a run has ended
  std::optional<StandardErrors> standard_errors;  ///< of loss and gradient at /final, once ended
  std::optional<RunAccuracy> accuracy;            ///< once ended; absent in files of older programs
  Execution execution;
};

/// Writes the whole run, see OutputFile::replace. Two runs that differ only in `execution` give
/// files that differ only in the group /execution. Throws WriteError.
void write_run(OutputFile& file, const RunFile& run);

/// Reads a run back, bit for bit. Throws InputError with the faults of the file, or for a schema
/// version newer than run_schema_version.
RunFile read_run(const std::string& path, Isolation isolation = Isolation::in_process);

}  // namespace gihflow
