#include "gihflow/run/predict.hpp"

#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "run/following.hpp"
#include "run/theory_input.hpp"

namespace gihflow {

namespace {

// Predictions are about the way to GIH, and half of them come from infinite context.
void require_limit(const Model& model) {
  if (model.own_position)
    throw InputError(Fault{Field::own_position, "true",
                           "has no limit GIH, since a model that sees the position itself ends in "
                           "mixtures: nothing is predicted"});
  if (model.scores == Scores::tokens)
    throw InputError(Fault{Field::scores, "tokens",
                           "has no predictions, which need infinite context, for which token "
                           "scores have no engine"});
}

}  // namespace

std::vector<Prediction> predict(const Problem& given, RunObserver* observer) {
  require_limit(given.setting.model);
  Problem problem = given;
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  return predictions(theory_input(problem).input);
}

std::vector<Prediction> predict(const PredictSetting& setting, RunObserver* observer) {
  return predict(prepare(setting), observer);
}

}  // namespace gihflow
