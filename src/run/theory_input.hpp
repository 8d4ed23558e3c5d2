#pragma once

#include <memory>

#include "gihflow/run/objectives.hpp"
#include "gihflow/theory/prediction.hpp"

namespace gihflow {

/// Input of predictions(), and the objects that its pointers refer to.
struct TheoryInput {
  std::shared_ptr<const Kernels> kernels;  ///< of the first 1,000 chains; null for recall
  std::shared_ptr<const Objective> infinite;
  Objectives objectives;
  PredictionInput input;
};
/// Throws InputError, naming the setting, for a model that the predictions do not apply to.
void require_predictions(const Model& model);
/// Input of predictions() for a problem. Computes on the CPU and replaces an automatic engine of
/// `problem`, as make_objectives does. Throws InputError as require_predictions does.
TheoryInput theory_input(Problem& problem);

}  // namespace gihflow
