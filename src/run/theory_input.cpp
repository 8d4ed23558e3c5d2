#include "run/theory_input.hpp"

#include <algorithm>

#include "gihflow/population/infinite.hpp"

namespace gihflow {

namespace {

constexpr Index most_kernels = 1000;

std::shared_ptr<const Kernels> first_kernels(const Problem& problem) {
  const std::shared_ptr<const Kernels>& all = problem.kernels;
  const SamplingOptions& sampling = problem.setting.sampling;
  if (!all) {
    return std::make_shared<const Kernels>(draw_kernels(
        sampling.prior, sampling.seed, Purpose::train, std::min(sampling.count, most_kernels)));
  }
  if (all->count <= most_kernels) return all;
  Kernels some = *all;
  some.count = most_kernels;
  some.values.resize(static_cast<std::size_t>(most_kernels * some.contexts() * some.vocabulary));
  return std::make_shared<const Kernels>(std::move(some));
}

}  // namespace

TheoryInput theory_input(Problem& problem) {
  const Setting& setting = problem.setting;
  problem.setting.device = Device::cpu;
  TheoryInput theory;
  theory.kernels = first_kernels(problem);
  theory.infinite = make_infinite_objective(setting.model, *theory.kernels);
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
