#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/record/sweep_file.hpp"

namespace GIHFLOW_API gihflow {

/// What an ensemble needs of one run: every column at every output time.
struct Recorded {
  /// A column's values at the output times of a stage.
  struct Column {
    const SnapshotColumn* column = nullptr;
    std::vector<double> values;  ///< [t, axes]
  };
  /// The columns of a stage and its output times t.
  struct StageColumns {
    Stage stage;
    std::vector<double> t;
    std::vector<Column> columns;
  };
  Parameters shape;
  std::vector<StageColumns> stages;
};
/// The recorded columns of a run; validation losses only where it has validation chains.
Recorded recorded(const RunFile& run);

/// The quantile of a sorted list, not empty, by linear interpolation between order statistics,
/// (n − 1)·level from the first (definition 7 of Hyndman and Fan 1996, numpy's).
double quantile(std::span<const double> sorted, double level);

/// Means, standard deviations and quantiles over runs of one setting; at a time, of those that have
/// recorded it. Runs are taken in the given order. `runs` is not empty.
Ensemble ensemble(const std::vector<Recorded>& runs);

}  // namespace gihflow
