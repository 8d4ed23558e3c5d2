#include "gihflow/run/problem.hpp"

#include <algorithm>
#include <limits>

#include "gihflow/base/version.hpp"
#include "gihflow/run/resume.hpp"
#include "run/preparation.hpp"

namespace gihflow {

namespace {

std::shared_ptr<const SequenceSource> drawn(const Problem& problem, Purpose purpose, Index count) {
  SamplingOptions sampling = problem.setting.sampling;
  sampling.purpose = purpose;
  sampling.count = count;
  if (problem.kernels) return sample_kernels(problem.kernels, sampling);
  return sample_task(sampling);
}

std::shared_ptr<const Kernels> drawn_kernels(const SamplingOptions& sampling, Purpose purpose,
                                             Index count) {
  return std::make_shared<const Kernels>(
      draw_kernels(sampling.prior, sampling.seed, purpose, count));
}

}  // namespace

std::shared_ptr<const Kernels> Problem::chain_kernels(Index most) const {
  if (!kernels) {
    return drawn_kernels(setting.sampling, setting.sampling.purpose,
                         std::min(setting.sampling.count, most));
  }
  if (kernels->count <= most) return kernels;
  return std::make_shared<const Kernels>(first_kernels(*kernels, most));
}

std::shared_ptr<const Kernels> Problem::validation_kernels() const {
  if (setting.validation_chains == 0 || !has<ValidationDataSetting>()) return nullptr;
  return drawn_kernels(setting.sampling, Purpose::validation, setting.validation_chains);
}

std::shared_ptr<const SequenceSource> Problem::chains() const {
  if (data) return stored_sequences(data);
  return drawn(*this, setting.sampling.purpose, setting.sampling.count);
}

std::shared_ptr<const SequenceSource> Problem::validation_chains() const {
  if (validation_data) return stored_sequences(validation_data);
  if (setting.validation_chains == 0 || !has<ValidationDataSetting>()) return nullptr;
  return drawn(*this, Purpose::validation, setting.validation_chains);
}

DescentOptions descent_options(const Setting& setting) {
  DescentOptions options;
  options.optimizer = setting.optimizer;
  if (setting.learning_rate.size() == 1)
    options.learning_rate = setting.learning_rate.front();
  else
    options.stage_rates = setting.learning_rate;
  options.rate_schedule = setting.rate_schedule;
  options.warm_up = setting.warm_up;
  options.batch = setting.batch;
  options.seed = setting.sampling.seed;
  options.outputs = setting.flow.outputs;
  options.first_output = setting.flow.first_output;
  options.max_steps = setting.flow.max_steps;
  return options;
}

DescentOptions Problem::descent() const {
  DescentOptions options = descent_options(setting);
  if (setting.resample) {
    const Index count = setting.batch > 0 ? setting.batch : setting.sampling.count;
    options.resample =
        [this, count,
         source = drawn(*this, Purpose::batch, std::numeric_limits<Index>::max())](Index step) {
          return make_objective(setting.model, SequenceSlice(*source, step * count, count),
                                setting.engine, setting.device);
        };
  }
  return options;
}

CompareOptions Problem::comparison() const {
  return {.learning_rates = setting.learning_rates, .flow = setting.flow, .modified = {}};
}

Parameters Problem::start() const {
  return parameters ? *parameters : initial_parameters(setting.model, setting.initial);
}

Provenance Problem::provenance() const {
  std::set<Field> left_out = unused;
  if (resumed) {  // a continued run keeps the keys of its config
    for (const Option& option : options()) {
      if (!setting.given.contains(option.field)) left_out.insert(option.field);
    }
  }
  return {version(), git_commit(), config_text(setting, groups, left_out), setting.sampling.seed};
}

Problem prepare(Assembled assembled) {
  const bool has_runs = (groups_of<RunSetting> & ~assembled.groups) == 0;
  if (has_runs && !assembled.setting.resume.empty()) {
    assembled = assemble_resumption(assembled);
    const Setting& setting = assembled.setting;
    if (!nothing_left(assembled.resumed->run, setting.flow.max_steps, setting.resume).empty()) {
      Problem problem;
      problem.groups = assembled.groups;
      problem.setting = std::move(assembled.setting);
      problem.notes = std::move(assembled.notes);
      problem.resumed = std::move(assembled.resumed);
      return problem;
    }
  }
  return Preparation(std::move(assembled)).finish();
}

}  // namespace gihflow
