#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/schema.hpp"

namespace GIHFLOW_API gihflow {

/// A column of a table of runs: a value of each, of one alternative where it is not absent.
struct TableColumn {
  std::string name;
  std::string meaning;
  std::string units = "1";
  std::string axes;  ///< of a value that is a vector, as of a Description
  std::vector<RecordValue> values;
};

/// A recorded quantity over replicas, at every output time of a stage: [t, axes].
struct EnsembleColumn {
  Description quantity;
  std::vector<double> mean;
  std::vector<double> deviation;  ///< standard deviation, n − 1 in the denominator; NaN of one
  std::vector<double> quantiles;  ///< [levels, t, axes]
};

/// A stage of runs that differ in their seed alone.
struct EnsembleStage {
  Stage stage;
  std::vector<double> t;        ///< flow time since the stage's start
  std::vector<Index> replicas;  ///< runs that recorded it [t]
  std::vector<EnsembleColumn> columns;
};

/// Runs that differ in their seed alone.
struct Ensemble {
  Index point = 0;                                           ///< from 1
  std::vector<std::pair<std::string, RecordValue>> options;  ///< swept ones, but for the seed
  Parameters shape;
  std::vector<EnsembleStage> stages;
};

/// Levels of the quantiles of ensembles.
inline constexpr double quantile_levels[] = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Many runs in one file; the layout is in docs/schema.md.
struct SweepFile {
  std::string plan;  ///< text of the plan; empty: replicas of a command line
  Parameters shape;  ///< of columns with axes; those are left out where runs have other shapes
  std::vector<TableColumn> columns;
  std::vector<Ensemble> ensembles;
};

/// As HDF5. Throws WriteError.
void write_sweep(OutputFile& file, const SweepFile& contents);

/// The columns as CSV (RFC 4180, lines end in \n): a row for each run, an entry of a vector a
/// column of its own, "p{1,2}" or "w[head,component]". What is absent is empty; numbers round-trip.
/// Throws WriteError.
void write_csv(OutputFile& file, const SweepFile& contents);

}  // namespace gihflow
