#include "gihflow/run/predict.hpp"

#include "gihflow/base/interrupted.hpp"
#include "run/following.hpp"
#include "run/theory_input.hpp"

namespace gihflow {

std::vector<Prediction> predict(const Problem& given, RunObserver* observer) {
  Problem problem = given;
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  return predictions(theory_input(problem).input);
}

std::vector<Prediction> predict(const PredictSetting& setting, RunObserver* observer) {
  return predict(prepare(setting), observer);
}

}  // namespace gihflow
