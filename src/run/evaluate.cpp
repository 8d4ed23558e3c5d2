#include "gihflow/run/evaluate.hpp"

#include "gihflow/base/interrupted.hpp"
#include "gihflow/run/objectives.hpp"
#include "run/following.hpp"

namespace gihflow {

Evaluation evaluate(const Objective& objective, const Parameters& at) {
  Evaluation result;
  result.at = at;
  objective.gradient(point_of(at), result.gradient);
  result.loss = result.gradient.loss;
  result.c = c_gradient(at, result.gradient);
  result.errors = objective.standard_errors(at);
  result.engine = objective.engine();
  return result;
}

Evaluation evaluate(const Problem& given, RunObserver* observer) {
  Problem problem = given;
  const Call call(problem, observer);
  const GivingUp on_interrupt;
  // A single gradient never makes up for the start of a card.
  if (problem.setting.device == Device::automatic) problem.setting.device = Device::cpu;
  const Objectives objectives = make_objectives(problem);
  Evaluation result = evaluate(*objectives.training, problem.start());
  if (objectives.chains)
    result.accuracy = model_accuracy(*objectives.chains, problem.setting.model, result.at);
  return result;
}

Evaluation evaluate(const EvaluateSetting& setting, RunObserver* observer) {
  return evaluate(prepare(setting), observer);
}

}  // namespace gihflow
