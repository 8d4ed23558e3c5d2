#pragma once

#include <memory>

#include "gihflow/run/objectives.hpp"
#include "gihflow/theory/prediction.hpp"

namespace gihflow {

/// What predictions for a problem are made from, and what their pointers point to.
struct TheoryInput {
  std::shared_ptr<const Kernels> kernels;  ///< of the first 1,000 chains; null for recall
  std::shared_ptr<const Objective> infinite;
  Objectives objectives;
  PredictionInput input;
};
/// Throws InputError for a model that theory predicts nothing of: the part that prevents it.
void require_predictions(const Model& model);
/// Requires predictions. Computes on the CPU; replaces an automatic engine of `problem`, as
/// make_objectives does.
TheoryInput theory_input(Problem& problem);

}  // namespace gihflow
