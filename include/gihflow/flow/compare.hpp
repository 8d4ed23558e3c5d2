#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/flow/modified.hpp"

namespace GIHFLOW_API gihflow {

/// Learning rates and accuracies of a comparison of gradient descent with the flow.
struct CompareOptions {
  std::vector<double> learning_rates = {1.0, 0.1, 0.01};  ///< η > 0, distinct
  /// Of the flow. `outputs` and `first_output` set the compared times, which are rounded to steps
  /// of the largest learning rate; `max_steps` limits the flow and each descent separately.
  FlowOptions flow = {.rtol = 1e-10, .atol = 1e-13};
  ModifiedFlowOptions modified;
};

/// Euclidean distances of two points in the coordinates of each block, and of their losses.
struct BlockDistance {
  std::vector<double> blocks;  ///< one per block of the model, in the order of letters_of()
  double all = 0.0;            ///< over all blocks
  double loss = 0.0;           ///< |difference|, nats

  bool operator==(const BlockDistance&) const = default;
};

/// Gradient descent with one learning rate in one stage, at the compared times.
struct ComparedRate {
  double learning_rate = 0.0;
  Outcome outcome = Outcome::reached;  ///< of descent up to the end of this stage
  std::vector<Snapshot> descent;       ///< [times]; fewer where descent ended early
  std::vector<BlockDistance> to_flow;  ///< descent − flow, as many
  /// Descent − modified flow (3.6); fewer where the modified flow ended early.
  std::vector<BlockDistance> to_modified;
  Outcome modified_outcome = Outcome::reached;
  /// log C_D(t)/C_D(0) of descent, and of the modified flow as far as it went. It is 0 on the plain
  /// flow.
  std::vector<double> growth, modified_growth;
  double growth_error = 0.0;  ///< largest deviation of log C_D from (3.2) over descent's steps
  /// First compared time at which η ≥ 2/λ_max on the flow, so that descent cannot stay near it
  /// (3.7).
  std::optional<double> leaves_at;
};

/// Observed order of a distance in η: the slope of log distance against log η.
struct ObservedOrder {
  std::optional<double> order;  ///< by least squares with a free intercept for each time
  std::vector<double> pairs;    ///< slope between neighbouring rates, largest first
  Index points = 0;             ///< number of distances in the fit
};

/// Comparison of gradient descent with the flow in one stage.
struct ComparedStage {
  Stage stage;
  std::string letters;              ///< of the model's blocks, letters_of()
  std::vector<double> t;            ///< compared times [times]
  std::vector<Snapshot> flow;       ///< [times]
  std::vector<double> sharpness;    ///< λ_max of the trained blocks along the flow [times]
  std::vector<ComparedRate> rates;  ///< in the order of the learning rates
  Outcome flow_outcome = Outcome::reached;
  /// The orders are fitted at the times [fit_begin, fit_end): from five steps of the largest fitted
  /// rate on, until nine tenths of the flow's loss drop have happened.
  Index fit_begin = 0, fit_end = 0;
  /// Learning rates below 2/λ_max up to fit_end, in this stage and those before; largest first.
  std::vector<double> stable_rates;
  /// The stable rates that make five steps by fit_end; none if fewer than two do.
  std::vector<double> fitted_rates;
  ObservedOrder to_flow, to_modified;
};

/// Comparison of gradient descent with the flow through a schedule.
struct Comparison {
  std::vector<ComparedStage> stages;
};

/// Faults that compare_descent throws: learning rates that are not positive, not finite or not
/// distinct, and stages that are not a whole number of steps of each rate.
ErrorList compare_errors(const Schedule& schedule, const CompareOptions& options);

/// Runs the flow once and full-batch gradient descent for every learning rate through the schedule,
/// from the same start on the same chains, and the modified flow for each rate. Descent tends to
/// the flow at order 1 in η and to the modified flow at order 2 (theory §9). Throws InputError with
/// compare_errors; `observer` is called after the steps of the flow and then of each descent.
Comparison compare_descent(const Parameters& start, const Schedule& schedule,
                           const Objective& objective, const CompareOptions& options,
                           Observer* observer = nullptr);

}  // namespace gihflow
