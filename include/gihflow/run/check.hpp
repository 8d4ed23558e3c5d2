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

/// Distances (8.2) of a trained model to the generalised induction head, on fresh chains of one
/// length and prior.
struct CheckPoint {
  Index length = 0;
  double alpha = 0;
  PredictorLine trained;         ///< loss and accuracy of the model
  Baselines lines;               ///< reference losses and accuracies, with S = S*
  std::optional<double> recall;  ///< recall task only: accuracy by (8.5) at the run's a
  Distance limit;                ///< to GIH(S*)
  Distance leading;              ///< to GIH of the model's leading set, see leading_lags
  bool passed = false;
  std::vector<Substitution> substitutions;  ///< empty if it passed
  Parts missing;                            ///< empty if it passed
};

/// Whether a trained model is the generalised induction head of the information set S*.
struct CheckResult {
  std::vector<Index> information_set, leading_set;  ///< lags
  double tolerance = 0;                             ///< on the mean total variation to GIH(S*)
  Index chains = 0;                                 ///< per point
  /// Whether chains come from a prior with `alpha`, not from given kernels or the recall task.
  bool from_prior = true;
  std::vector<CheckPoint> points;
  /// Whether all points passed.
  bool passed() const;
};

/// Checks the final parameters of the run in the file `path` on fresh chains like its own, with the
/// lengths, alphas, prior, number and seed of `asked`; for a run on given kernels the chains have
/// these kernels. On an interrupt it returns the points done so far. Throws InputError: not a run
/// file; a run on given sequences; alphas with given kernels; lengths that do not fit the chains or
/// the model. Throws Interrupted if no point is done yet.
CheckResult check(const std::string& path, const CheckSetting& asked = {},
                  RunObserver* observer = nullptr);
/// The same for a run in memory, with kernels in `held` if it used any; `name` is its name in
/// faults.
CheckResult check(const RunFile& run, const std::string& name, const CheckSetting& asked = {},
                  RunObserver* observer = nullptr, const Inputs& held = {});
/// The same without what the verdict does not take: points have their length, alpha, distance to
/// GIH(S*) and whether they passed, with the same bits.
CheckResult verdict(const RunFile& run, const std::string& name, const CheckSetting& asked = {});

}  // namespace gihflow
