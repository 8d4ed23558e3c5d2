#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/schema.hpp"

namespace GIHFLOW_API gihflow {

/// A column of a table of runs: one value per run, absent or of the same alternative in all.
struct TableColumn {
  std::string name;
  std::string meaning;
  std::string units = "1";
  std::string axes;  ///< of a value that is a vector, see Description
  std::vector<RecordValue> values;
};

/// A recorded quantity over replicas, at every output time of a stage: [t, axes].
struct EnsembleColumn {
  Description quantity;
  std::vector<double> mean;
  std::vector<double> deviation;  ///< standard deviation, n − 1 in the denominator; NaN for n = 1
  std::vector<double> quantiles;  ///< [levels, t, axes]
};

/// A stage of runs that differ only in their seed.
struct EnsembleStage {
  Stage stage;
  std::vector<double> t;        ///< flow time since the stage's start
  std::vector<Index> replicas;  ///< number of runs that recorded the time [t]
  std::vector<EnsembleColumn> columns;
};

/// Statistics over runs that differ only in their seed.
struct Ensemble {
  Index point = 0;                                           ///< from 1
  std::vector<std::pair<std::string, RecordValue>> options;  ///< the swept ones except the seed
  Parameters shape;
  std::vector<EnsembleStage> stages;
};

/// Levels of the quantiles of ensembles.
inline constexpr double quantile_levels[] = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Many runs in one file; the layout is in docs/schema.md.
struct SweepFile {
  std::string plan;  ///< text of the plan file; empty: replicas of a command line
  Parameters shape;  ///< of the columns with axes, which are left out if runs differ in shape
  std::vector<TableColumn> columns;
  std::vector<Ensemble> ensembles;
};

/// Writes HDF5. Throws WriteError.
void write_sweep(OutputFile& file, const SweepFile& contents);

/// Writes the columns as CSV (RFC 4180, lines end in \n): a row per run, each entry of a
/// vector as a column, "p{1,2}" or "w[head,component]". Absent values are empty; numbers
/// round-trip. Throws WriteError.
void write_csv(OutputFile& file, const SweepFile& contents);

}  // namespace gihflow
