#include "gihflow/run/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/run/problem.hpp"

namespace gihflow {

namespace {

Index steps_taken(const TrainingState& state) {
  Index steps = 0;
  for (const StageRecord& stage : state.trajectory.stages) {
    steps += stage.statistics.accepted_steps + stage.statistics.rejected_steps;
  }
  return steps;
}

// Sentences on differences in compiler, flags, libraries and instruction set from those of a run.
std::vector<std::string> build_differences(const RunFile& run, const std::string& path) {
  std::vector<std::string> sentences;
  const auto compare = [&](const char* what, const std::string& then, const std::string& now) {
    if (then == now) return;
    sentences.push_back(
        fmt::format("{} was computed with {} {}, now it is {}", path, what, then, now));
  };
  const Execution& execution = run.execution;
  compare("compiler", execution.compiler, compiler());
  compare("compiler flags", execution.compiler_flags, compiler_flags());
  compare("instruction set", execution.instruction_set, instruction_set());
  compare("libraries", execution.library_versions, library_versions());
  return sentences;
}

bool has_shape(const Parameters& parameters, const Model& model) {
  return parameters.window == model.window && parameters.heads == model.heads &&
         parameters.degree == model.degree;
}

ErrorList shape_errors(const RunFile& run, const Setting& setting) {
  const Model& model = setting.model;
  const Parameters& start = run.state.start;
  ErrorList errors;
  if (has_shape(start, model) && has_shape(run.state.initial, model) &&
      run.vocabulary == model.vocabulary) {
    return errors;
  }
  errors.add(fault(fmt::format("d {}, M {}, H {}, D {}", run.vocabulary, start.window, start.heads,
                               start.degree),
                   "", "must be {}, {}, {}, {}", model.vocabulary, model.window, model.heads,
                   model.degree));
  return errors;
}

// Input files of chains. They may have moved: the hash in the run decides whether chains are its
// own.
constexpr std::array chain_files{Field::data, Field::validation_data, Field::kernels, Field::text};

bool is_chain_file(Field field) {
  return std::find(chain_files.begin(), chain_files.end(), field) != chain_files.end();
}

// Replaces chain files of a setting by those that were given.
void take_chain_files(const Setting& given, Setting& setting) {
  for (const Field field : chain_files) {
    const Option& file = *find_option(field);
    const std::optional<Value> path = file.get(given);
    if (path && file.get(setting)) file.set(setting, *path);
  }
}

class ResumedSetting {
 public:
  ResumedSetting(const Assembled& asked, std::shared_ptr<const Resumption> resumed)
      : asked_(asked),
        path_(asked.setting.resume),
        resumed_(std::move(resumed)),
        run_(resumed_->run),
        theirs_(setting_of_run(run_, path_)) {}

  /// Throws InputError with all faults.
  Assembled finish() {
    result_.groups = asked_.groups;
    result_.notes = asked_.notes;
    result_.setting = theirs_;
    take_over_what_moves_no_bit();
    refuse_differing_options();
    take_limit();
    if (!has_ended(run_.state.outcome)) {
      compare_program();
      check_state();
    }
    result_.faults.throw_if_any();
    result_.resumed = resumed_;
    result_.inputs = asked_.inputs;
    return std::move(result_);
  }

 private:
  const Setting& mine() const { return asked_.setting; }
  bool faulty(Field field) const { return asked_.faults.about({field}); }
  void refuse(Fault fault) { result_.faults.add(located(mine(), std::move(fault))); }

  void take_over_what_moves_no_bit() {
    for (const Option& option : options()) {
      if (option.role != Role::handling || !option.belongs_to(asked_.groups)) continue;
      if (const std::optional<Value> value = option.get(mine()))
        option.set(result_.setting, *value);
    }
    take_chain_files(mine(), result_.setting);
    result_.setting.isolation = mine().isolation;
    result_.setting.output = resumed_->file ? path_ : "";
    result_.setting.command_line = mine().command_line;
    for (const auto& [field, origin] : mine().given) {
      if (find_option(field, asked_.groups)->role == Role::handling) {
        result_.setting.given[field] = origin;
      }
    }
    if (!mine().output.empty() && mine().output != path_) {
      refuse(fault(Field::output, mine().output,
                   "must be left out beside {} {}, which is continued in place", Field::resume,
                   path_));
    }
  }

  // The options that were given, those set by a preset included.
  std::map<Field, std::string> asked_options() const {
    std::map<Field, std::string> asked = mine().given;
    if (const auto preset = asked.find(Field::preset); preset != asked.end()) {
      for (const Convention& row : conventions()) asked.emplace(row.field, preset->second);
    }
    return asked;
  }

  void refuse_differing_options() {
    for (const auto& [field, origin] : asked_options()) {
      const Option& option = *find_option(field, asked_.groups);
      if (option.role != Role::handling && field != Field::max_steps && field != Field::preset &&
          !faulty(field)) {
        compare_option(option, origin);
      }
    }
  }

  void compare_option(const Option& option, const std::string& origin) {
    const std::optional<Value> wanted = option.get(mine());
    const std::optional<Value> there = option.get(theirs_);
    if (wanted == there) return;
    if (wanted && there && is_chain_file(option.field)) return;
    const bool automatic = wanted && to_string(*wanted) == "auto";
    if (automatic && (option.field == Field::engine || option.field == Field::device)) return;
    if (there && !theirs_.given.contains(option.field)) {
      result_.notes.push_back(
          phrase("{} has no effect: {} does not depend on it", option.field, path_));
      return;
    }
    Fault other = fault(option.field, wanted ? to_string(*wanted) : "none", "must be {}, as in {}",
                        there ? to_string(*there) : "left out", path_);
    other.where = origin;
    refuse(std::move(other));
  }

  // Takes max_steps, the only option of the problem that may change: it decides where a run stops,
  // not its trajectory.
  void take_limit() {
    const Option& option = *find_option(Field::max_steps);
    const std::optional<Value> limit = option.get(mine());
    if (!limit || faulty(Field::max_steps)) return;
    const Index taken = steps_taken(run_.state);
    if (!has_ended(run_.state.outcome) && mine().flow.max_steps <= taken) {
      refuse(fault(Field::max_steps, mine().flow.max_steps,
                   "must exceed the {} steps that {} has taken", taken, path_));
    }
    option.set(result_.setting, *limit);
    result_.setting.given[Field::max_steps] = "";
  }

  void compare_program() {
    const std::string difference = version_difference(run_.provenance, path_);
    if (!difference.empty() && mine().force) {
      result_.notes.push_back(difference + ": the rest may have other bits");
    } else if (!difference.empty()) {
      refuse({.allowed = phrase("{}; give {} to continue, with bits that may differ", difference,
                                Field::force)});
    }
    for (const std::string& other : build_differences(run_, path_)) {
      result_.notes.push_back(other + ": the rest may have other bits");
    }
  }

  void check_state() {
    ErrorList errors = shape_errors(run_, theirs_);
    if (errors.empty()) errors = state_faults(run_.state, theirs_);
    for (const Fault& fault : errors.faults()) {
      refuse(within(path_ + ": /checkpoint does not fit the config", fault));
    }
  }

  const Assembled& asked_;
  const std::string path_;
  const std::shared_ptr<const Resumption> resumed_;
  const RunFile& run_;
  const Setting theirs_;
  Assembled result_;
};

}  // namespace

ErrorList state_faults(const TrainingState& state, const Setting& setting) {
  if (setting.method == TrainingMethod::flow) {
    return continuation_errors(state, setting.stages, setting.flow);
  }
  return continuation_errors(state, setting.stages, descent_options(setting));
}

Setting setting_of_run(const RunFile& run, const std::string& path) {
  Setting setting = setting_of_config(run.provenance.config, path);
  if (setting.sampling.seed != run.provenance.seed) {
    throw InputError(fault(path + ": attribute seed", run.provenance.seed,
                           "must be that of its config, {}", setting.sampling.seed));
  }
  return setting;
}

Inputs in_place_of_files(const Setting& run, const Inputs& held) {
  Inputs result;
  if (!run.data.empty()) result.data = held.data;
  if (!run.validation_data.empty()) result.validation_data = held.validation_data;
  if (!run.kernels.empty()) result.kernels = held.kernels;
  return result;
}

bool has_ended(Outcome outcome) {
  return outcome == Outcome::reached || outcome == Outcome::step_underflow ||
         outcome == Outcome::non_finite;
}

std::string nothing_left(const RunFile& run, Index max_steps, const std::string& path) {
  const TrainingState& state = run.state;
  // Without baselines the run was killed between its last step and the last write, and is not
  // complete.
  if (has_ended(state.outcome) && run.baselines) {
    return state.outcome == Outcome::reached
               ? path + " has reached the end of its schedule: nothing is left to do"
               : fmt::format("{} has failed ({}): nothing can be continued", path,
                             to_string(state.outcome));
  }
  if (state.outcome == Outcome::step_limit && steps_taken(state) >= max_steps) {
    return fmt::format("{} has taken all {} steps that it may: allow more to continue", path,
                       steps_taken(state));
  }
  return "";
}

Assembled assemble_resumption(const Assembled& asked) {
  const std::string& path = asked.setting.resume;
  try {
    if (asked.resumed) return ResumedSetting(asked, asked.resumed).finish();
    const auto resumed = std::make_shared<Resumption>();
    resumed->path = path;
    resumed->file = std::make_unique<OutputFile>(path, true);
    resumed->run = read_run(path, asked.setting.isolation);
    return ResumedSetting(asked, resumed).finish();
  } catch (const InputError& error) {
    std::vector<Fault> faults = asked.faults.faults();
    faults.insert(faults.end(), error.faults().begin(), error.faults().end());
    throw InputError(std::move(faults));
  }
}

Assembled assemble_audit(std::shared_ptr<const Resumption> audited, const AuditSetting& asked) {
  const RunFile& run = audited->run;
  const std::string& path = audited->path;
  Assembled result{setting_of_run(run, path), groups_of<TrainSetting>};
  result.setting.isolation = asked.isolation;
  take_chain_files(Setting(asked), result.setting);
  std::vector<std::string> notes = build_differences(run, path);
  if (const std::string other = version_difference(run.provenance, path); !other.empty()) {
    notes.insert(notes.begin(), other);
  }
  for (const std::string& note : notes) result.notes.push_back(note + ": bits may differ");
  ErrorList errors;
  const ErrorList misfits = shape_errors(run, result.setting);
  for (const Fault& fault : misfits.faults()) {
    errors.add(within(path + ": does not fit its config", fault));
  }
  errors.throw_if_any();
  result.resumed = std::move(audited);
  return result;
}

}  // namespace gihflow
