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

/// One prediction beside one measurement.
struct VerificationRow {
  Quantity quantity{};
  Subject subject = {};
  /// What was integrated, "parents {1,2}"; empty where there is only one setting. Quantity, subject
  /// and setting are unique among the rows.
  std::string setting = {};
  double predicted = 0;
  double measured = 0;
  /// |measured/predicted − 1|, or |measured| where the prediction is 0.
  double difference = 0;
  double tolerance = 0;
  bool passed = false;
  /// Where sets are compared: their names, "{1,2}", the numbers then being NaN.
  std::string predicted_set = {}, measured_set = {};
  std::string regime = {};  ///< where the prediction is exact, and where it was measured
};

/// Quantity, subject and setting in words, for tables only.
std::string label(const VerificationRow& row);

/// Points of a trajectory on a predicted curve; all axes are dimensionless.
struct Curve {
  Quantity quantity{};  ///< with subject and setting those of the row that the curve belongs to
  Subject subject;
  std::string setting;
  std::string x_name, y_name;
  std::vector<double> x, measured, predicted;
};

/// Prediction and measurement for the user's setting, without verdict: how far finite a, finite
/// context and spread attention are from the sharp prediction.
struct Departure {
  Prediction prediction;
  double measured = 0;  ///< NaN where the trajectory has no stage that shows it
};

/// Predictions beside measurements, with the curves to draw.
struct Verification {
  std::vector<VerificationRow> rows;
  std::vector<Curve> curves;
  std::vector<Departure> departures;  ///< of the user's setting; empty without one
  /// Whether all of it is as it must be.
  bool passed() const;
};

/// What verify() computes, and with how many chains.
struct VerifyOptions {
  std::uint64_t seed = 1;
  std::vector<std::string> experiments;  ///< names of those to run, as progress gets them; {}: all
  /// Maps the objective that predictions are made from to the one that the flow integrates; none:
  /// the same.
  std::function<std::shared_ptr<const Objective>(std::shared_ptr<const Objective>)> flow_objective;
  /// Called with the name of every sub-experiment as it begins.
  std::function<void(const std::string&)> progress;
};

/// Runs the flow where the predictions of theory §7 are sharp (small a, infinite context, one-hot
/// attention; stage I and the plateau of a also in finite context) and compares. Every measured
/// number is read off a trajectory of train_flow. Ends early, with what it has, on an interrupt
/// request.
Verification verify(const VerifyOptions& options);

}  // namespace gihflow
