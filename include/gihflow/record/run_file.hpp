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

/// One of the processes that a run was computed by, the first or one that resumed it.
struct ProcessRecord {
  std::string started;   ///< UTC, ISO 8601
  std::string finished;  ///< of the last write
  std::string host;
  std::string command_line;
  std::string program_version;
  std::string git_commit;
  std::string instruction_set;
  Index threads = 0;
  Index steps = 0;            ///< that it made, rejected ones included
  Index rhs_evaluations = 0;  ///< that its steps took
  double wall_seconds = 0.0;

  bool operator==(const ProcessRecord&) const = default;
};

/// What does not determine the bits of a run: where, when and how fast it was computed. Of a run
/// that was resumed: texts and `threads` of the last process, but `started` of the first, and sums.
struct Execution {
  std::string host;
  std::string device;  ///< "cpu", or "cuda, " and the card's name
  Index threads = 0;
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
  double statistics_seconds = 0.0;  ///< of it: drawing or reading chains, building statistics
  double flow_seconds = 0.0;        ///< of it: in train_flow, checkpoints included
  double report_seconds = 0.0;      ///< of it: baselines and standard errors
  std::vector<ProcessRecord>
      processes;  ///< in order of time; none in files that older programs wrote

  bool operator==(const Execution&) const = default;
};

/// Lines to hold losses against, (8.1) and (8.3), on the chains of the run.
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
  std::string validation_hash;  ///< of the validation chains; empty without
  TrainingState state;          ///< what was recorded, and the checkpoint to continue from
  std::optional<RunBaselines> baselines;          ///< once a run has ended
  std::optional<StandardErrors> standard_errors;  ///< of loss and gradient at /final, once ended
  std::optional<RunAccuracy> accuracy;            ///< once ended; none in files of older programs
  Execution execution;
};

/// Writes the whole run, see OutputFile::replace. Two runs that differ only in `execution` give
/// files that differ only in the group /execution. Throws WriteError.
void write_run(OutputFile& file, const RunFile& run);

/// Reads a run back, bit for bit. Throws InputError with the faults of the file, or when its schema
/// version is newer than this program.
RunFile read_run(const std::string& path, Isolation isolation = Isolation::in_process);

}  // namespace gihflow
