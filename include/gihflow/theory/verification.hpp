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

/// One prediction held against one measurement.
struct VerificationRow {
  std::string phase;     ///< "I", "II", "III", "all"
  std::string quantity;  ///< what is compared, with the setting where that differs
  double predicted = 0;
  double measured = 0;
  /// |measured/predicted − 1|, or |measured| where the prediction is 0.
  double difference = 0;
  double tolerance = 0;
  bool passed = false;
  /// Where sets of lags are compared: their names, the numbers then being NaN.
  std::string predicted_set, measured_set;
  std::string regime;  ///< where the prediction is exact, and where it was measured
};

/// Points of a trajectory on a predicted curve.
struct Curve {
  std::string phase;
  std::string name;
  std::string x_name, x_units, y_name, y_units;
  std::vector<double> x, measured, predicted;
};

/// A prediction for a setting of one's own beside what the flow did: no verdict, but how far finite
/// a, finite context and spread attention move things from the sharp prediction.
struct Departure {
  Prediction prediction;
  double measured = 0;  ///< NaN where the trajectory has no stage that tells it
};

struct Verification {
  std::vector<VerificationRow> rows;
  std::vector<Curve> curves;
  std::vector<Departure> departures;  ///< of a setting of one's own; empty without
  bool passed() const;
};

struct VerifyOptions {
  std::uint64_t seed = 1;
  std::vector<std::string>
      experiments;  ///< names of those to run, as progress tells them; none: all
  /// The objective that the flow gets for the objective that predictions are made from; none: the
  /// same.
  std::function<std::shared_ptr<const Objective>(std::shared_ptr<const Objective>)> flow_objective;
  /// Told the name of every sub-experiment as it begins.
  std::function<void(const std::string&)> progress;
};

/// Runs the flow where the predictions of theory §7 are sharp (small a, infinite context, one-hot
/// attention; stage I and the plateau of a also in finite context) and compares. Every measured
/// number is read off a trajectory of train_flow. Ends early, with what it has, on an interrupt
/// request.
Verification verify(const VerifyOptions& options);

}  // namespace gihflow
