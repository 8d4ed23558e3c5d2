#include "gihflow/run/objectives.hpp"

#include <fmt/format.h>

#include "base/make_fault.hpp"
#include "base/ranks.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/run/resume.hpp"
#include "run/shared_objectives.hpp"

namespace gihflow {

namespace {

Engine engine_named(const std::string& name) {
  if (name == "dense") return Engine::dense;
  return name == "sparse" ? Engine::sparse : Engine::reference;
}

int lanes_of(Engine engine) {
  return engine == Engine::dense ? 8 : engine == Engine::sparse ? 1 : 0;
}

// Makes the objective on a source's chains, and their hash in the same pass.
std::unique_ptr<Objective> objective_on(const Setting& setting,
                                        const std::shared_ptr<const SequenceSource>& source,
                                        std::string& hash) {
  const HashingSource hashing(source);
  auto objective = make_objective(setting.model, hashing, setting.engine, setting.device);
  hash = hashing.hash();
  return objective;
}

// The same for kernels in infinite context.
std::unique_ptr<Objective> objective_on(const Setting& setting, const Kernels& kernels,
                                        std::string& hash) {
  hash = kernel_hash(kernels);
  return make_infinite_objective(setting.model, kernels, setting.device);
}

// Throws InputError if the chains of a continued run are not its own.
void check_hash(const Problem& problem, const std::string& hash, const std::string& kept,
                const char* chains) {
  if (hash == kept) return;
  throw InputError(
      fault(fmt::format("{}: the {} chains have the hash", problem.resumed->path, chains), hash,
            "must be {}, that of the chains it was begun with", kept));
}

}  // namespace

Objectives make_objectives(Problem& problem) {
  const GivingUp on_interrupt;
  Setting& setting = problem.setting;
  Objectives result;
  // Only problems of `train` can be sent to other processes, as their config.
  Ranks* const others = problem.has<TrainSetting>() ? ranks() : nullptr;
  if (problem.infinite()) {
    result.kernels = problem.chain_kernels();
    result.validation_kernels = problem.validation_kernels();
  } else {
    result.chains = problem.chains();
    result.validation_chains = problem.validation_chains();
  }
  if (others != nullptr) {
    share_problem(*others, problem);
    const auto shared = [&](bool validation, const auto& kernels, const auto& chains,
                            std::string& hash) {
      const int all = others->count();
      const bool card = resolved(setting.device, setting.model) == Device::cuda;
      OwnObjective own =
          kernels ? own_objective(setting.model, *kernels, card, 0, all)
                  : own_objective(setting.model, *chains, card, lanes_of(setting.engine), 0, all);
      return shared_objective(*others, std::move(own), validation, hash);
    };
    result.training = shared(false, result.kernels, result.chains, result.tokens_hash);
    if (!problem.infinite()) setting.engine = engine_named(result.training->engine());
    if (result.validation_kernels || result.validation_chains)
      result.validation =
          shared(true, result.validation_kernels, result.validation_chains, result.validation_hash);
  } else if (problem.infinite()) {
    result.training = objective_on(setting, *result.kernels, result.tokens_hash);
    if (result.validation_kernels) {
      result.validation = objective_on(setting, *result.validation_kernels, result.validation_hash);
    }
  } else {
    result.training = objective_on(setting, result.chains, result.tokens_hash);
    setting.engine = engine_named(result.training->engine());
    if (result.validation_chains) {
      result.validation = objective_on(setting, result.validation_chains, result.validation_hash);
    }
  }
  setting.device = resolved(setting.device, setting.model);
  if (problem.resumed) {
    const RunFile& run = problem.resumed->run;
    check_hash(problem, result.tokens_hash, run.tokens_hash, "training");
    check_hash(problem, result.validation_hash, run.validation_hash, "validation");
  }
  return result;
}

}  // namespace gihflow
