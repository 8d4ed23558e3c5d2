#include "run/preparation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/make_fault.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/run/estimate.hpp"
#include "gihflow/run/verify.hpp"

namespace gihflow {

namespace {

constexpr std::size_t most_stages = 1000;  // HDF5 limits the attachments of a dimension scale
constexpr double most_window_codes = 0x1p62;

}  // namespace

Preparation::Preparation(Assembled assembled) : faults_(std::move(assembled.faults)) {
  problem_.groups = assembled.groups;
  problem_.setting = std::move(assembled.setting);
  problem_.notes = std::move(assembled.notes);
  problem_.resumed = std::move(assembled.resumed);
  inputs_ = std::move(assembled.inputs);
}

Problem Preparation::finish() {
  check_ranges();
  read_files();
  if (problem_.has<KernelOutputSetting>()) choose_chains();
  check_task();
  check_query();
  find_unused();
  check_chains();
  if (problem_.has<ModelSetting>()) check_model();
  if (problem_.has<StageSetting>()) check_stages();
  check_outputs();
  if (faults_.empty()) refuse(estimate_errors(problem_, estimate(problem_)));
  faults_.throw_if_any();
  return std::move(problem_);
}

void Preparation::check_ranges() {
  for (const Option& option : options()) {
    const std::optional<Value> value = option.get(setting());
    if (option.belongs_to(problem_.groups) && value && !option.accepts(*value) &&
        !faults_.about({option.field})) {
      refuse({option.field, to_string(*value), "must be " + option.allowed, ""});
    }
  }
  const Index vocabulary = setting().sampling.prior.vocabulary;
  if (setting().model.vocabulary == 0) setting().model.vocabulary = vocabulary;
  if (setting().model.vocabulary != vocabulary) {
    refuse(fault(Field::vocabulary, fmt::format("{} of the model", setting().model.vocabulary),
                 "must be that of the prior, {}", vocabulary));
  }
}

// With purpose validation, `sample` draws as many validation chains as `train`.
void Preparation::choose_chains() {
  const bool validation = setting().sampling.purpose == Purpose::validation;
  problem_.unused.insert(validation ? Field::chains : Field::validation_chains);
  if (!validation || faults_.about({Field::validation_chains})) return;
  setting().sampling.count = setting().validation_chains;
  if (setting().validation_chains == 0) {
    refuse(fault(Field::validation_chains, 0, "must be at least 1 with {} validation",
                 Field::purpose));
  }
}

// Finds options without effect: they are left out of the config, and a note names those that were
// given.
void Preparation::find_unused() {
  // Only `verify` has flow options and no data: its experiments choose engines themselves.
  if (problem_.has<FlowSetting>() && !problem_.has<DataSetting>() && !has_own_setting(setting())) {
    problem_.unused.insert(Field::engine);
  }
  std::vector<std::pair<Phrase, std::vector<Field>>> told;  // options by reason
  for (const Option& option : options()) {
    if (!option.belongs_to(problem_.groups) || !option.without_effect) continue;
    const Phrase why = option.without_effect(setting());
    if (why.empty()) continue;
    problem_.unused.insert(option.field);
    if (!given(option.field) || faults_.about({option.field})) continue;
    auto reason = std::find_if(told.begin(), told.end(),
                               [&](const auto& other) { return other.first == why; });
    if (reason == told.end()) reason = told.insert(told.end(), {why, {}});
    reason->second.push_back(option.field);
  }
  for (const auto& [why, fields] : told) {
    Phrase note = listed(fields);
    note += fields.size() == 1 ? " has no effect: " : " have no effect: ";
    note += why;
    problem_.notes.push_back(std::move(note));
  }
}

// Sets what the recall task fixes, and refuses what it does not have.
void Preparation::check_task() {
  if (setting().sampling.task != Task::recall) return;
  const auto refuse_recall = [&](const Phrase& why) {
    refuse(Fault{Field::task, "recall", why, ""});
  };
  if (problem_.infinite()) refuse_recall(phrase("must be chain in {} infinite", Field::context));
  if (!setting().data.empty())
    refuse_recall(phrase("must be chain beside {} {}", Field::data, setting().data));
  if (!setting().kernels.empty())
    refuse_recall(phrase("must be chain beside {} {}", Field::kernels, setting().kernels));
  if (!setting().text.empty())
    refuse_recall(phrase("must be chain beside {} {}", Field::text, setting().text));
  if (setting().model.positions == Positions::all) {
    refuse(fault(Field::positions, "all", "must be last with {} recall, which has one question",
                 Field::task));
  }
  setting().sampling.prior.parents = {1};  // the lag at which an induction head matches
  setting().sampling.labels = Labels::sampled;
}

// Infinite context, which predictions need too, has the query law of the chain.
void Preparation::check_query() {
  if (setting().sampling.query == QueryLaw::chain || problem_.data) return;
  const bool predicting = problem_.has<StageSetting>() && !problem_.has<DataSetting>();
  if (setting().model.positions == Positions::all) {
    refuse(fault(Field::positions, "all",
                 "must be last with {} uniform, which replaces the last tokens", Field::query));
  }
  if (problem_.infinite()) {
    refuse(fault(Field::query, "uniform", "must be chain in {} infinite", Field::context));
  } else if (predicting) {
    refuse(fault(Field::query, "uniform",
                 "must be chain here, since predictions are those of infinite context"));
  }
}

// The faults that chain/ finds.
void Preparation::check_chains() {
  if (problem_.data ||
      faults_.about({Field::data, Field::kernels, Field::vocabulary, Field::parents})) {
    return;
  }
  SamplingOptions sampling = setting().sampling;
  sampling.prior = problem_.prior();
  const ErrorList errors = kernels_alone() ? prior_errors(sampling.prior) : task_errors(sampling);
  for (const Fault& fault : errors.faults()) {
    if (!faults_.about({fault.field})) refuse(fault);
  }
}

void Preparation::check_model() {
  const Model& model = setting().model;
  if (!faults_.about({Field::degree, Field::heads, Field::parameters})) {
    if (model.degree > model.heads) {
      refuse(fault(Field::degree, model.degree, "must be at most the number of {}, {}",
                   Field::heads, model.heads));
    } else {
      try {
        static_cast<void>(subset_count(model.heads, model.degree));
      } catch (const InputError& error) {
        for (const Fault& fault : error.faults()) refuse(fault);
      }
    }
  }
  if (given(Field::lags) && given(Field::head_lags)) {
    refuse(fault(Field::lags, "", "must be left out beside {}", Field::head_lags));
  }
  if (model.head_lags.size() > 1 && !faults_.about({Field::heads, Field::head_lags}) &&
      static_cast<Index>(model.head_lags.size()) != model.heads) {
    refuse(fault(Field::head_lags, fmt::format("{} lists", model.head_lags.size()),
                 "must be one list for each of the {}, {}", Field::heads, model.heads));
  }
  check_rectifier();
  if (!problem_.parameters && !faults_.about({Field::heads, Field::window, Field::parameters}) &&
      model.head_lags.empty() && model.head_windows == HeadWindows::shared &&
      model.heads > model.window) {
    refuse(fault(Field::heads, model.heads,
                 "must be at most the {}, {}, with {} shared, since head h starts on its own lag "
                 "h; or give {}",
                 Field::window, model.window, Field::head_windows, Field::parameters));
  }
  if (!problem_.infinite() &&
      !faults_.about(
          {Field::length, Field::window, Field::heads, Field::data, Field::parameters}) &&
      model.boundary == Boundary::masked && setting().sampling.length <= model.widest()) {
    refuse(fault(Field::length, setting().sampling.length,
                 "must exceed the widest lag, {}, with {} masked", model.widest(),
                 Field::boundary));
  }
  if (problem_.infinite() &&
      !faults_.about(
          {Field::vocabulary, Field::window, Field::heads, Field::kernels, Field::parameters}) &&
      std::pow(static_cast<double>(model.vocabulary),
               static_cast<double>(model.used_lags().size() + 1)) >= most_window_codes) {
    refuse(fault(model.head_lags.empty() ? Field::window : Field::lags,
                 model.head_lags.empty() ? std::to_string(model.window) : std::string(),
                 "windows of {} tokens of a vocabulary of {} are too many for {} infinite: must be "
                 "fewer than 2^62",
                 model.used_lags().size(), model.vocabulary, Field::context));
  }
  if (setting().device == Device::cuda && !cuda_fault().empty()) {
    refuse({Field::device, "cuda", cuda_fault(), ""});
  }
  try {
    if (setting().device == Device::cuda) require_card(model);
    if (problem_.infinite()) require_infinite(model);
  } catch (const InputError& error) {
    for (const Fault& found : error.faults()) refuse(found);
  }
  if (setting().device == Device::cuda && setting().engine == Engine::reference) {
    refuse(fault(Field::engine, "reference",
                 "must be auto, dense or sparse with {} cuda, since the reference runs on the CPU "
                 "alone",
                 Field::device));
  }
}

// The flow needs a rectifier of positive width (2.8).
void Preparation::check_rectifier() {
  Model& model = setting().model;
  if (!model.rectify || faults_.about({Field::rectify_width})) return;
  const bool flow = problem_.has<FlowSetting>() &&
                    !(problem_.has<DescentSetting>() && setting().method == TrainingMethod::gd);
  model.rectify_width = setting().rectify_width.value_or(flow ? 0.1 : 0.0);
  setting().rectify_width = model.rectify_width;
  if (flow && model.rectify_width == 0.0) {
    refuse(fault(Field::rectify_width, 0,
                 "must be above 0 for the flow, whose right-hand side would jump where a product "
                 "changes its sign; or step by {} gd",
                 Field::method));
  }
}

void Preparation::check_stages() {
  if (faults_.about({Field::stages})) return;
  if (setting().stages.empty()) {
    refuse(fault(Field::stages, "", "must be at least one stage BLOCKS:TIME, as in c:2000"));
    return;
  }
  if (setting().stages.size() > most_stages) {
    refuse(fault(Field::stages, "", "{} of them: must be at most {}", setting().stages.size(),
                 most_stages));
  }
  double shortest = setting().stages.front().duration;
  for (const Stage& stage : setting().stages) shortest = std::min(shortest, stage.duration);
  for (const Fault& found : schedule_errors(setting().stages, setting().model).faults())
    refuse(found);
  check_descent();
  if (setting().flow.first_output >= shortest && !faults_.about({Field::first_output})) {
    refuse(fault(Field::first_output, setting().flow.first_output,
                 "must be less than every TIME of {}, {} at least", Field::stages, shortest));
  }
}

void Preparation::check_descent() {
  const Setting& s = setting();
  if (problem_.has<RateSetting>() && !faults_.about({Field::learning_rates})) {
    refuse(compare_errors(s.stages, problem_.comparison()));
  }
  if (s.method != TrainingMethod::gd ||
      faults_.about({Field::learning_rate, Field::warm_up, Field::batch, Field::chains})) {
    return;
  }
  if (s.resample && !s.data.empty()) {
    refuse(fault(Field::resample, "", "must be left out beside {} {}, which cannot be drawn afresh",
                 Field::data, s.data));
  }
  if (problem_.infinite() && s.resample) {
    refuse(fault(Field::resample, "", "must be left out in {} infinite", Field::context));
  }
  if (problem_.infinite() && s.batch > 0) {
    refuse(fault(Field::batch, s.batch, "must be 0 in {} infinite", Field::context));
  }
  DescentOptions options = descent_options(s);
  if (s.resample) options.batch = 0;
  refuse(descent_errors(s.stages, options, s.sampling.count));
}

void Preparation::check_outputs() {
  const std::string& kernels = setting().kernels_output;
  if (!kernels.empty() && kernels == setting().output) {
    refuse(fault(Field::kernels_output, kernels, "must differ from {}", Field::output));
  }
  if (!kernels.empty() && !setting().kernels.empty()) {
    refuse(fault(Field::kernels_output, kernels,
                 "must be left out beside {} {}, which are the kernels", Field::kernels,
                 setting().kernels));
  }
  if (!kernels.empty() && (problem_.data || setting().sampling.task == Task::recall)) {
    refuse(fault(Field::kernels_output, kernels,
                 "must be left out for sequences that have no kernels"));
  }
  if (problem_.has<OutputSetting>()) check_output(Field::output, setting().output);
  if (problem_.has<KernelOutputSetting>()) check_output(Field::kernels_output, kernels);
}

void Preparation::check_output(Field field, const std::string& path) {
  if (path.empty()) return;
  std::error_code ignored;
  for (const std::string& input : {setting().data, setting().validation_data, setting().kernels,
                                   setting().text, setting().parameters}) {
    if (!input.empty() && std::filesystem::equivalent(path, input, ignored)) {
      refuse(fault(field, path, "must not be a file that is read"));
      return;
    }
  }
  if (setting().dry_run || problem_.resumed) return;
  if (const auto fault = output_fault(field, path, setting().force)) refuse(*fault);
}

}  // namespace gihflow
