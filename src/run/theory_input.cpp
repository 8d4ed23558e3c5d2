#include "run/theory_input.hpp"

#include "gihflow/population/infinite.hpp"

namespace gihflow {

namespace {

constexpr Index most_kernels = 1000;

}  // namespace

TheoryInput theory_input(Problem& problem) {
  const Setting& setting = problem.setting;
  problem.setting.device = Device::cpu;
  TheoryInput theory;
  if (setting.sampling.task != Task::recall) {  // which has neither
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
