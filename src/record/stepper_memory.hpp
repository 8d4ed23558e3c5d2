#pragma once

// FlowState and DescentState as the vectors that schema 1 and 2 store.

#include <vector>

#include "gihflow/flow/trajectory.hpp"

namespace gihflow {

struct StepperMemory {
  std::vector<double> slope;
  /// Flow: previous_error, jacobian. Descent: predicted_normalizer, moments.
  std::vector<double> memory;
  /// Flow: stiff, after_rejection, after_non_finite, worst, votes, against. Descent: step.
  std::vector<Index> counters;
};

/// All empty for a stage that has not begun.
StepperMemory memory_of(const StepperState& stepper);
/// Sets stepper.method; false where the number of counters is that of no method.
bool set_memory(StepperState& stepper, const StepperMemory& stored);

}  // namespace gihflow
