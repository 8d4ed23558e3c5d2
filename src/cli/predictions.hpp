#pragma once

#include <string>
#include <vector>

#include "cli/json.hpp"
#include "gihflow/theory/prediction.hpp"

namespace gihflow::cli {

/// What a quantity is of: an object with its members_of.
Json json_subject(Quantity quantity, const Subject& subject);
/// A prediction as predict and verify print it.
Json json_prediction(const Prediction& prediction);

/// What to try where training selects another set than S*; w* NaN: no own logit makes S* win.
std::string selection_advice(const std::string& information_set, const std::string& selected,
                             double critical_logit);

/// A table of predictions, with what was measured where that is given.
std::string prediction_table(const std::vector<Prediction>& predictions,
                             const std::vector<double>& measured);

}  // namespace gihflow::cli
