#pragma once

#include <string>
#include <vector>

#include "cli/json.hpp"
#include "gihflow/theory/prediction.hpp"

namespace gihflow::cli {

/// The subject of a quantity: an object of its members_of.
Json json_subject(Quantity quantity, const Subject& subject);
/// A prediction as predict and verify print it.
Json json_prediction(const Prediction& prediction);

/// What to try if training selects another set than S*; critical_logit w* is NaN if no own logit
/// selects S*.
std::string selection_advice(const std::string& information_set, const std::string& selected,
                             double critical_logit);

/// A table of predictions, with a column of measured values unless `measured` is empty.
std::string prediction_table(const std::vector<Prediction>& predictions,
                             const std::vector<double>& measured);

}  // namespace gihflow::cli
