#include "run/theory_input.hpp"

#include <optional>

#include "gihflow/base/errors.hpp"
#include "gihflow/population/infinite.hpp"

namespace gihflow {

namespace {

constexpr Index most_kernels = 1000;

/// The fault of a model that the predictions do not apply to.
std::optional<Fault> unpredicted(const Model& model) {
  if (model.own_position)
    return Fault{Field::own_position, "true",
                 "has no limit GIH, which predictions are about: a model that sees the position "
                 "itself ends in mixtures of sets"};
  if (model.scores == Scores::tokens)
    return Fault{Field::scores, "tokens",
                 "has no predictions: they are computed in infinite context, which token scores "
                 "do not support"};
  const Phrase one_hot(
      "has no predictions: they hold for heads whose products are 1 where tokens match and 0 where "
      "they do not");
  if (model.values == HeadValues::matrix) return Fault{Field::values, "matrix", one_hot};
  if (model.head_normalization == HeadNormalization::layer)
    return Fault{Field::head_normalization, "layer", one_hot};
  if (model.head_normalization == HeadNormalization::rms)
    return Fault{Field::head_normalization, "rms", one_hot};
  return std::nullopt;
}

}  // namespace

void require_predictions(const Model& model) {
  if (const auto fault = unpredicted(model)) throw InputError(*fault);
}

TheoryInput theory_input(Problem& problem) {
  const Setting& setting = problem.setting;
  require_predictions(setting.model);
  problem.setting.device = Device::cpu;
  TheoryInput theory;
  if (setting.sampling.task != Task::recall) {  // recall has no kernels
    theory.kernels = problem.chain_kernels(most_kernels);
    theory.infinite = make_infinite_objective(setting.model, *theory.kernels);
  }
  theory.objectives = make_objectives(problem);
  theory.input.start = problem.start();
  theory.input.schedule = setting.stages;
  theory.input.kernels = theory.kernels.get();
  theory.input.infinite = theory.infinite.get();
  theory.input.trained = theory.objectives.training.get();
  theory.input.sequences = theory.objectives.chains.get();
  theory.input.small_entries = small_entries(problem.prior());
  return theory;
}

}  // namespace gihflow
