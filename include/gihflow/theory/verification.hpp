#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/theory/prediction.hpp"

namespace GIHFLOW_API gihflow {

/// A prediction and its measurement.
struct VerificationRow {
  Quantity quantity{};
  Subject subject = {};
  /// What was integrated, "parents {1,2}"; empty if there is only one setting. Quantity, subject
  /// and setting are unique among the rows.
  std::string setting = {};
  double predicted = 0;
  double measured = 0;
  /// |measured/predicted − 1|, or |measured| where the prediction is 0.
  double difference = 0;
  double tolerance = 0;
  bool passed = false;
  /// For sets: their names, "{1,2}"; the numbers are then NaN.
  std::string predicted_set = {}, measured_set = {};
  std::string regime = {};  ///< when the prediction is exact, and where it was measured
};

/// Quantity, subject and setting in words, for tables only.
std::string label(const VerificationRow& row);

/// Measured and predicted values along a curve; all axes are dimensionless.
struct Curve {
  Quantity quantity{};  ///< quantity, subject and setting are those of a row
  Subject subject;
  std::string setting;
  std::string x_name, y_name;
  std::vector<double> x, measured, predicted;
};

/// Prediction and measurement for the user's setting, without a verdict: the difference shows the
/// effect of finite a, finite context and spread attention.
struct Departure {
  Prediction prediction;
  double measured = 0;  ///< NaN if the trajectory does not show it
};

/// Results of a verification.
struct Verification {
  std::vector<VerificationRow> rows;
  std::vector<Curve> curves;
  std::vector<Departure> departures;  ///< of the user's setting; empty without one
  /// Whether all rows passed.
  bool passed() const;
};

/// Options of verify().
struct VerifyOptions {
  std::uint64_t seed = 1;
  /// Names of the sub-experiments to run, see progress; {}: all.
  std::vector<std::string> experiments;
  /// Maps the objective of the predictions to the one that the flow integrates; empty: the same.
  /// For tests.
  std::function<std::shared_ptr<const Objective>(std::shared_ptr<const Objective>)> flow_objective;
  /// Called with the name of every sub-experiment as it begins.
  std::function<void(const std::string&)> progress;
};

/// Integrates the flow in the regimes where the predictions of theory §7 and §8 are sharp (small a,
/// infinite context, one-hot attention; stage I and the plateau of a also in finite context) and
/// compares. Measured numbers come from trajectories of train_flow. Returns the results so far on
/// an interrupt.
Verification verify(const VerifyOptions& options);

}  // namespace gihflow
