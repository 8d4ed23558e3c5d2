#include "gihflow/run/objectives.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <initializer_list>
#include <limits>
#include <utility>

#include "base/make_fault.hpp"
#include "base/ranks.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/record/chain_hashes.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/provenance.hpp"
#include "gihflow/run/estimate.hpp"
#include "gihflow/run/resume.hpp"
#include "run/device_choice.hpp"
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

Index count_of(const SequenceSource& source) {
  return source.count();
}
Index count_of(const Kernels& kernels) {
  return kernels.count;
}

// Makes the objective on the setting's device on a source's chains, and their hash in the same
// pass.
std::unique_ptr<Objective> objective_on(const Setting& setting,
                                        const std::shared_ptr<const SequenceSource>& source,
                                        std::string& hash) {
  const HashingSource hashing(source);
  auto objective = make_objective(setting.model, hashing, setting.engine, setting.device);
  hash = hashing.hash();
  return objective;
}

// The same for kernels in infinite context.
std::unique_ptr<Objective> objective_on(const Setting& setting,
                                        const std::shared_ptr<const Kernels>& kernels,
                                        std::string& hash) {
  hash = kernel_hash(*kernels);
  return make_infinite_objective(setting.model, *kernels, setting.device);
}

// The same on the first chains, without a hash.
std::unique_ptr<Objective> objective_on_first(const Setting& setting, const SequenceSource& source,
                                              Index count) {
  return make_objective(setting.model, SequenceSlice(source, 0, count), setting.engine,
                        setting.device);
}
std::unique_ptr<Objective> objective_on_first(const Setting& setting, const Kernels& kernels,
                                              Index count) {
  return make_infinite_objective(setting.model, first_kernels(kernels, count), setting.device);
}

// Throws InputError if the chains of a continued run, given or drawn, are not its own. Those that
// another version drew may differ in the last digits; that its bits may, a note says anyway.
void check_hash(const Problem& problem, bool given, const std::string& hash,
                const std::string& kept, const char* chains) {
  if (hash == kept) return;
  const Resumption& resumed = *problem.resumed;
  if (!given && !version_difference(resumed.run.provenance, resumed.path).empty()) return;
  throw InputError(
      fault(fmt::format("{}: the {} chains have the hash", problem.resumed->path, chains), hash,
            "must be {}, that of the chains it was begun with", kept));
}

// Chooses the device of a problem that has none yet. Process 0 of several decides for all, by its
// own part of the chains.
template <class Chains>
DeviceChoice faster_device(const Problem& problem, const std::shared_ptr<const Chains>& chains,
                           Ranks* others, std::string& hash) {
  if (others != nullptr) take_card(others->local());
  const Setting& setting = problem.setting;
  const Index all = count_of(*chains);
  const auto own = [&](bool card) {
    return others == nullptr ? all : chains_of_process(*others, all, card);
  };
  DeviceCandidates candidates;
  candidates.on_cpu = own(false);
  candidates.on_card = own(true);
  candidates.make = [&](Device device, Index count) {
    Setting on = setting;
    on.device = device;
    return count == all ? objective_on(on, chains, hash) : objective_on_first(on, *chains, count);
  };
  const bool batches = setting.method == TrainingMethod::gd && setting.batch > 0;
  const double share =
      batches ? static_cast<double>(setting.batch) / static_cast<double>(all) : 0.0;
  candidates.gradients = problem.has<StageSetting>()
                             ? count_gradients(problem) / (batches ? share : 1.0)
                             : std::numeric_limits<double>::infinity();
  candidates.seconds = [at = point_of(problem.start()), share](const Objective& objective) {
    return seconds_of_gradient(objective, at, share);
  };
  return choose_device(candidates);
}

bool is_of_chains(const Option& option) {
  return option.role != Role::handling &&
         (option.belongs_to(groups_of<SequenceSetting>) ||
          option.belongs_to(groups_of<ValidationSetting>) || option.field == Field::context);
}

// The config whose chains a problem takes from the files that it names; empty if these were given
// in another place, and if chains drawn by them are drawn with an option given in another place.
std::string config_with_files(const Setting& setting, std::initializer_list<Field> files,
                              bool drawn) {
  const auto& given = setting.given;
  std::string config;
  for (const Field file : files) {
    const auto found = given.find(file);
    if (found == given.end()) continue;
    if (found->second.empty()) return "";  // the command line
    config = found->second;
  }
  for (const auto& [field, origin] : given) {
    if (drawn && origin != config && is_of_chains(*find_option(field, groups_of<TrainSetting>)))
      return "";
  }
  return config;
}

// Throws InputError if a problem whose config is a run file names files of chains, and their
// contents are no longer those of the run.
void check_chain_files(const Setting& setting, const Objectives& objectives) {
  const bool data = !setting.data.empty(), validation = !setting.validation_data.empty();
  const auto check = [&](const std::string& config, bool training) {
    if (!std::filesystem::is_regular_file(config) || !is_hdf5(config)) return;
    const ChainHashes kept = read_chain_hashes(config, setting.isolation);
    const std::string& was = training ? kept.training : kept.validation;
    const std::string& is = training ? objectives.tokens_hash : objectives.validation_hash;
    if (was.empty() || was == is) return;
    throw InputError(
        fault(fmt::format("{}: the {} chains have the hash", config,
                          training ? "training" : "validation"),
              is, "must be {}, that of the run; give their file itself to train on what it has now",
              was));
  };
  const auto sources = {Field::kernels, Field::text};
  check(data ? config_with_files(setting, {Field::data}, false)
             : config_with_files(setting, sources, true),
        true);
  check(validation ? config_with_files(setting, {Field::validation_data}, false)
                   : config_with_files(setting, sources, true),
        false);
}

class Builder {
 public:
  explicit Builder(Problem& problem)
      : problem_(problem),
        setting_(problem.setting),
        // Only problems of `train` can be sent to other processes, as their config.
        others_(problem.has<TrainSetting>() ? ranks() : nullptr) {}

  Objectives build() {
    if (problem_.infinite()) {
      result_.kernels = problem_.chain_kernels();
      result_.validation_kernels = problem_.validation_kernels();
    } else {
      result_.chains = problem_.chains();
      result_.validation_chains = problem_.validation_chains();
    }
    const bool choose = may_take_card(problem_);
    const Engine engine = setting_.engine;
    std::unique_ptr<Objective> made;
    if (choose) made = choose_device();
    if (setting_.device == Device::automatic) setting_.device = Device::cpu;
    try {
      make_both(std::move(made));
    } catch (const InputError&) {
      if (!choose || setting_.device == Device::cpu || others_ != nullptr) throw;
      setting_.device = Device::cpu;
      setting_.engine = engine;
      result_.training = result_.validation = nullptr;
      result_.device_note =
          Phrase(Field::device, " auto is cpu: ", cuda_card() + " has no room for these chains");
      make_both(nullptr);
    }
    return std::move(result_);
  }

 private:
  // Sets the device, and returns the objective of training if the choice has made it.
  std::unique_ptr<Objective> choose_device() {
    DeviceChoice choice =
        result_.kernels ? faster_device(problem_, result_.kernels, others_, result_.tokens_hash)
                        : faster_device(problem_, result_.chains, others_, result_.tokens_hash);
    setting_.device = choice.device;
    if (choice.card > 0.0) {
      const bool card = choice.device == Device::cuda;
      result_.device_note =
          Phrase(Field::device,
                 fmt::format(" auto is {}: a gradient takes about {} on {} and {} on the CPU",
                             card ? "cuda" : "cpu", to_string_duration(choice.card), cuda_card(),
                             to_string_duration(choice.cpu)));
    }
    return others_ == nullptr ? std::move(choice.objective) : nullptr;
  }

  void make_both(std::unique_ptr<Objective> made) {
    if (others_ != nullptr) share_problem(*others_, problem_);
    if (result_.kernels) {
      make_both(std::move(made), result_.kernels, result_.validation_kernels);
    } else {
      make_both(std::move(made), result_.chains, result_.validation_chains);
    }
  }

  template <class Chains>
  void make_both(std::unique_ptr<Objective> made, const Chains& chains, const Chains& validation) {
    result_.training = made ? std::move(made) : make(chains, false, result_.tokens_hash);
    if (!problem_.infinite()) setting_.engine = engine_named(result_.training->engine());
    if (validation) result_.validation = make(validation, true, result_.validation_hash);
  }

  template <class Chains>
  std::unique_ptr<Objective> make(const Chains& chains, bool validation, std::string& hash) {
    if (others_ == nullptr) return objective_on(setting_, chains, hash);
    const bool card = setting_.device == Device::cuda;
    return shared_objective(*others_, own(*chains, card), validation, hash);
  }

  OwnObjective own(const Kernels& kernels, bool card) const {
    return own_objective(setting_.model, kernels, card, 0, others_->count());
  }
  OwnObjective own(const SequenceSource& source, bool card) const {
    return own_objective(setting_.model, source, card, lanes_of(setting_.engine), 0,
                         others_->count());
  }

  Problem& problem_;
  Setting& setting_;
  Ranks* others_;
  Objectives result_;
};

}  // namespace

Objectives make_objectives(Problem& problem) {
  const GivingUp on_interrupt;
  Objectives result = Builder(problem).build();
  if (problem.resumed) {
    const RunFile& run = problem.resumed->run;
    const bool kernels = problem.kernels != nullptr;
    check_hash(problem, kernels || problem.data, result.tokens_hash, run.tokens_hash, "training");
    check_hash(problem, kernels || problem.validation_data, result.validation_hash,
               run.validation_hash, "validation");
  } else if (problem.has<TrainSetting>()) {
    check_chain_files(problem.setting, result);
  }
  return result;
}

}  // namespace gihflow
