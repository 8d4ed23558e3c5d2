#pragma once

#include <limits>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/theory/quantity.hpp"

namespace GIHFLOW_API gihflow {

/// Predicted values of one quantity for a setting, and the regime in which they are exact.
struct Prediction {
  Quantity quantity{};
  Subject subject;   ///< (quantity, subject) is unique within a setting
  double sharp = 0;  ///< in infinite context, a → 0 before stage III, one-hot attention; NaN: none
  double trained = 0;  ///< by the objective and the attention of the setting itself; NaN: none
  /// For quantities that are sets: "{1,2}", or "none" if no set takes over. Else empty.
  std::string sharp_set, trained_set;
  std::string regime;  ///< when each of the two is exact
};

/// Input of predictions(). Pointers are not owned. `kernels` and `infinite` belong to the same
/// chains; both are null for the recall task.
struct PredictionInput {
  Parameters start;
  Schedule schedule;
  const Kernels* kernels = nullptr;
  const Objective* infinite = nullptr;        ///< of the kernels, with the model of `trained`
  const Objective* trained = nullptr;         ///< the objective that is trained
  const SequenceSource* sequences = nullptr;  ///< of `trained`; null in infinite context
  /// Of the prior, see gihflow::small_entries.
  double small_entries = std::numeric_limits<double>::infinity();
};

/// The predictions of theory §6 to §8 for a setting: information set, gap and C_D; log-odds slopes
/// and takeover time (7.1); γ, the constant of 1/t and the time to 1 − δ of the attention (7.2);
/// speed, growth law with its constant, plateau and value of a at the stage's end (7.3); losses of
/// the GIH and of the Bayes predictor (8.1), (8.3). Stages II and III start from the head subset
/// that attends to S*. On the recall task S* is {1} and stage III is that of (8.5) to (8.8),
/// `sharp` with counts replaced by their mean. Quantities that do not exist for the setting are
/// left out.
std::vector<Prediction> predictions(const PredictionInput& input);

}  // namespace gihflow
