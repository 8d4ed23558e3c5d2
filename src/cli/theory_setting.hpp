#pragma once

#include <memory>

#include "cli/json.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/prediction.hpp"

namespace gihflow::cli {

/// What predictions for a setting are made from, kept alive. Quantities in infinite context come
/// from the first 1,000 of its chains.
struct TheorySetting {
  std::shared_ptr<const Kernels> kernels;
  std::shared_ptr<const Objective> infinite;
  std::shared_ptr<const SequenceSource> sequences;
  std::shared_ptr<const Objective> trained;
  PredictionInput input;
};
TheorySetting theory_setting(const Problem& problem);

/// The members_of a quantity as an object.
Json json_subject(Quantity quantity, const Subject& subject);

/// A table of predictions, with what was measured where that is given.
std::string prediction_table(const std::vector<Prediction>& predictions,
                             const std::vector<double>& measured);

}  // namespace gihflow::cli
