#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/config.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/setting.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/predictors.hpp"

namespace GIHFLOW_API gihflow {

/// Distances (8.2) of a trained model to limits of theory, on fresh chains of one length and prior.
struct CheckPoint {
  Index length = 0;
  double alpha = 0;
  PredictorLine trained;         ///< loss and accuracy of the model
  Baselines lines;               ///< what they are held against, with S = S*
  std::optional<double> recall;  ///< of the recall task: accuracy by (8.5) at the run's a
  Distance limit;                ///< to GIH(S*)
  Distance leading;              ///< to GIH of the run's own leading set
  bool passed = false;
  std::vector<Substitution> substitutions;  ///< none where it passed
  Parts missing;                            ///< none where it passed
};

/// Whether a run has become the generalised induction head of its information set.
struct CheckResult {
  std::vector<Index> information_set, leading_set;  ///< lags
  double tolerance = 0;                             ///< on the mean total variation to GIH(S*)
  Index chains = 0;                                 ///< of each point
  /// Chains come from a prior with `alpha`, not from given kernels or the recall task.
  bool from_prior = true;
  std::vector<CheckPoint> points;
  /// Whether all of it is as it must be.
  bool passed() const;
};

/// Checks the final parameters of the run in the file `path` on fresh chains like its own, of the
/// lengths, alphas, number and seed that `asked` names; of a run on given kernels, from these. On
/// an interrupt returns the points done by then. Throws InputError: not a run file; a run on given
/// sequences; alphas beside given kernels; lengths that do not fit its chains or its model;
/// Interrupted where there is no point yet.
CheckResult check(const std::string& path, const CheckSetting& asked = {},
                  RunObserver* observer = nullptr);
/// The same of a run that is in memory, and of kernels that are; `name` is what faults call it.
CheckResult check(const RunFile& run, const std::string& name, const CheckSetting& asked = {},
                  RunObserver* observer = nullptr, const Inputs& held = {});

}  // namespace gihflow
