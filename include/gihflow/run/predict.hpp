#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/prediction.hpp"

namespace GIHFLOW_API gihflow {

/// Predictions of theory for the training that a setting describes; nothing is trained. Quantities
/// in infinite context are those of the first 1,000 of its chains. Throws InputError; Interrupted.
std::vector<Prediction> predict(const PredictSetting& setting, RunObserver* observer = nullptr);
/// \overload
std::vector<Prediction> predict(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
