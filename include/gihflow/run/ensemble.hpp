#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/record/sweep_file.hpp"

namespace GIHFLOW_API gihflow {

/// The recorded columns of one run, input of ensemble().
struct Recorded {
  /// Values of a column at the output times of a stage.
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
/// The recorded columns of a run; the validation loss only if it has validation chains.
Recorded recorded(const RunFile& run);

/// Quantile of a sorted, non-empty list by linear interpolation between order statistics at the
/// position (n − 1)·level (definition 7 of Hyndman and Fan 1996, the default of NumPy).
double quantile(std::span<const double> sorted, double level);

/// Means, standard deviations and quantiles over runs of one setting, at each output time over the
/// runs that recorded it. `runs` must not be empty; sums are taken in the order of `runs`.
Ensemble ensemble(const std::vector<Recorded>& runs);

}  // namespace gihflow
