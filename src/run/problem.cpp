#include "gihflow/run/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/estimate.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/verify.hpp"

namespace gihflow {

namespace {

constexpr std::size_t most_stages = 1000;  // attachments of one dimension scale are limited
constexpr double most_window_codes = 0x1p62;

class Preparation {
 public:
  Preparation(Assembled assembled, Command command) : faults_(std::move(assembled.faults)) {
    problem_.command = command;
    problem_.setting = std::move(assembled.setting);
    problem_.notes = std::move(assembled.notes);
    problem_.resumed = std::move(assembled.resumed);
  }

  Problem finish() {
    check_ranges();
    read_files();
    find_unused();
    check_chains();
    check_model();
    check_stages();
    check_outputs();
    if (faults_.empty()) refuse(estimate_errors(problem_, estimate(problem_)));
    faults_.throw_if_any();
    return std::move(problem_);
  }

 private:
  Setting& setting() { return problem_.setting; }
  bool is(Command command) const { return problem_.command == command; }
  // Whether only the kernels of the chains matter, and nothing of sequences.
  bool kernels_alone() const { return is(Command::rank) || problem_.infinite(); }
  bool given(Field field) const {
    return problem_.setting.given.contains(std::string(name(field)));
  }

  void refuse(Fault fault) { faults_.add(located(problem_.setting, std::move(fault))); }
  void refuse(const ErrorList& errors) {
    for (const Fault& fault : errors.faults()) refuse(fault);
  }
  // Fields that a library user may have set to anything; those from a parser are in range already.
  void check_ranges() {
    for (const Option& option : options()) {
      const std::optional<Value> value = option.get(setting());
      if (!option.belongs_to(problem_.command) || !value || option.accepts(*value) ||
          faults_.about({option.field()})) {
        continue;
      }
      refuse({option.field(), to_string(*value), "must be " + option.allowed, ""});
    }
    if (setting().model.vocabulary == 0) {
      setting().model.vocabulary = setting().sampling.prior.vocabulary;
    } else if (setting().model.vocabulary != setting().sampling.prior.vocabulary) {
      refuse(fault(Field::vocabulary, fmt::format("{} of the model", setting().model.vocabulary),
                   "must be that of the prior, {}", setting().sampling.prior.vocabulary));
    }
  }

  // Reads the file that a setting names; its faults are added to the others.
  template <class Read>
  auto read(Field field, const std::string& path, Read reader)
      -> std::optional<decltype(reader(path, Isolation()))> {
    if (path.empty()) return std::nullopt;
    try {
      return reader(path, setting().isolation);
    } catch (const InputError& error) {
      const bool moved = problem_.resumed && !std::filesystem::exists(path);
      for (Fault fault : error.faults()) {
        if (moved) fault.allowed += phrase("; if it has moved, give {}", field);
        faults_.add(field, std::move(fault));
      }
      return std::nullopt;
    }
  }

  // Takes over what a file fixes, unless an option that was given says otherwise.
  template <class T>
  void fix(Field field, T& member, const T& value, const std::string& path) {
    if (given(field) && !faults_.about({field}) && member != value) {
      refuse(fault(field, printed(member), "must be {}, which {} fixes", printed(value), path));
    }
    member = value;
  }
  static std::string printed(Index x) { return fmt::format("{}", x); }
  static std::string printed(const std::vector<Index>& x) {
    return x.empty() ? "none" : to_string_lags(x);
  }

  void fix_vocabulary(Index vocabulary, const std::string& path) {
    fix(Field::vocabulary, setting().sampling.prior.vocabulary, vocabulary, path);
    setting().model.vocabulary = vocabulary;
  }

  void read_files() {
    if (!setting().data.empty() && !setting().kernels.empty()) {
      refuse(fault(Field::kernels, setting().kernels, "must not be given beside {} {}", Field::data,
                   setting().data));
      return;
    }
    const auto no_sequences = [&](Field field, const std::string& path) {
      if (path.empty() || !problem_.infinite()) return;
      refuse(fault(field, path, "must be left out in {} infinite, which needs {}", Field::context,
                   Field::kernels));
    };
    no_sequences(Field::data, setting().data);
    no_sequences(Field::validation_data, setting().validation_data);
    if (faults_.about({Field::data, Field::validation_data})) return;
    use_data();
    use_kernels();
    use_validation_data();
    use_parameters();
  }

  void use_data() {
    auto read_one = read(Field::data, setting().data, read_data);
    if (!read_one) return;
    const std::string& path = setting().data;
    auto data = std::make_shared<const Sequences>(std::move(*read_one));
    fix_vocabulary(data->vocabulary, path);
    fix(Field::length, setting().sampling.length, data->length, path);
    fix(Field::chains, setting().sampling.count, data->count, path);
    problem_.parents_known = !data->parents.empty() || given(Field::parents);
    if (!data->parents.empty()) {
      fix(Field::parents, setting().sampling.prior.parents, data->parents, path);
    }
    fix_labels(*data, path);
    if (setting().validation_data.empty()) {
      no_validation(phrase("must be 0 or left out beside {} without {}", Field::data,
                           Field::validation_data));
    }
    problem_.data = std::move(data);
  }

  void fix_labels(const Sequences& data, const std::string& path) {
    const std::string word = to_string(*find_option("labels")->get(setting()));
    if (!data.targets.empty()) {
      if (given(Field::labels)) {
        refuse(fault(Field::labels, word, "must be left out, since {} has /targets", path));
      }
    } else {
      if (given(Field::labels) && setting().sampling.labels != Labels::sampled) {
        refuse(fault(Field::labels, word, "must be sampled, since {} has no /targets", path));
      }
      setting().sampling.labels = Labels::sampled;
    }
  }

  void use_kernels() {
    auto read_one = read(Field::kernels, setting().kernels, read_kernels);
    if (!read_one) return;
    const std::string& path = setting().kernels;
    fix_vocabulary(read_one->vocabulary, path);
    fix(Field::parents, setting().sampling.prior.parents, read_one->parents, path);
    if (kernels_alone()) {
      fix(Field::chains, setting().sampling.count, read_one->count, path);
    } else if (!given(Field::chains)) {
      setting().sampling.count = read_one->count;
    }
    if (problem_.infinite()) {
      no_validation(
          phrase("must be 0 or left out beside {} in {} infinite", Field::kernels, Field::context));
    }
    problem_.kernels = std::make_shared<const Kernels>(std::move(*read_one));
  }

  void no_validation(Phrase must) {
    if (given(Field::validation_chains) && setting().validation_chains > 0) {
      refuse({Field::validation_chains, fmt::format("{}", setting().validation_chains),
              std::move(must), ""});
    }
    setting().validation_chains = 0;
  }

  void use_validation_data() {
    auto read_one = read(Field::validation_data, setting().validation_data, read_data);
    if (!read_one) return;
    const std::string& path = setting().validation_data;
    if (!faults_.about({Field::data, Field::kernels, Field::vocabulary}) &&
        read_one->vocabulary != setting().model.vocabulary) {
      faults_.add(Field::validation_data,
                  fault(path + ": attribute vocabulary_size", read_one->vocabulary,
                        "must be {}, as in training", setting().model.vocabulary));
    }
    if (setting().model.boundary == Boundary::masked &&
        read_one->length <= setting().model.widest()) {
      faults_.add(Field::validation_data, fault(path + ": sequences of length", read_one->length,
                                                "must exceed the widest lag, {}, with {} masked",
                                                setting().model.widest(), Field::boundary));
    }
    fix(Field::validation_chains, setting().validation_chains, read_one->count, path);
    problem_.validation_data = std::make_shared<const Sequences>(std::move(*read_one));
  }

  void use_parameters() {
    if (problem_.resumed) {  // the run started from them: their file is not read again
      if (!setting().parameters.empty()) problem_.parameters = problem_.resumed->run.state.start;
      return;
    }
    auto read_one = read(Field::parameters, setting().parameters, read_parameters);
    if (!read_one) return;
    const std::string& path = setting().parameters;
    fix(Field::window, setting().model.window, read_one->window, path);
    fix(Field::heads, setting().model.heads, read_one->heads, path);
    fix(Field::degree, setting().model.degree, read_one->degree, path);
    problem_.parameters = std::move(*read_one);
    note_other_conventions(path);
  }

  // A run's parameters mean something else under other conventions.
  void note_other_conventions(const std::string& path) {
    std::vector<std::string> differing;
    try {
      const Setting theirs =
          setting_of_config(read_run(path, setting().isolation).provenance.config, path);
      for (const char* name :
           {"boundary", "head-windows", "head-normalization", "readout", "epsilon"}) {
        const Option& option = *find_option(name);
        const std::string here = to_string(*option.get(setting()));
        const std::string there = to_string(*option.get(theirs));
        if (here == there) continue;
        differing.push_back(fmt::format("{} {} (here {})", name, there, here));
      }
    } catch (const InputError&) {
      return;  // a parameter file, which says nothing of conventions
    }
    if (!differing.empty()) {
      problem_.notes.push_back(
          fmt::format("{} was trained with {}", path, fmt::join(differing, ", ")));
    }
  }

  // Options without effect: they are left out of the config, and whoever gave one is told.
  void find_unused() {
    const auto unused = [&](std::initializer_list<const char*> names, const std::string& why) {
      std::vector<std::string> told;
      for (const char* name : names) {
        if (!find_option(name)->belongs_to(problem_.command)) continue;
        problem_.unused.insert(name);
        const Field field = field_named(name);
        if (given(field) && !faults_.about({field})) told.emplace_back(name);
      }
      if (!told.empty()) {
        problem_.notes.push_back(fmt::format("{} {} no effect: {}", fmt::join(told, ", "),
                                             told.size() == 1 ? "has" : "have", why));
      }
    };
    if (!setting().data.empty()) {
      unused({"prior", "alpha", "floor", "initial-law"},
             "the chains are those of " + setting().data);
      if (problem_.data && !problem_.data->targets.empty()) problem_.unused.insert("labels");
      if (!problem_.parents_known) problem_.unused.insert("parents");
    }
    if (!setting().kernels.empty()) {
      unused({"prior", "alpha", "floor"}, "the kernels are those of " + setting().kernels);
    }
    if (!setting().parameters.empty()) {
      unused({"w-own", "w-other", "c-init", "a-init"},
             "the parameters are those of " + setting().parameters);
    }
    if (problem_.infinite()) {
      unused({"length", "initial-law", "labels", "boundary", "engine"},
             "context infinite has no sequences");
    }
    if (is(Command::sample)) choose_chains();
    if (is(Command::verify) && !has_own_setting(setting())) problem_.unused.insert("engine");
    if (is(Command::compare)) {
      // Both are followed.
    } else if (setting().method == TrainingMethod::flow) {
      unused({"learning-rate", "optimizer", "batch", "resample"}, "the method is the flow");
    } else {
      unused({"integrator", "rtol", "atol"}, "the method is gradient descent");
    }
    if (setting().model.readout == Readout::softmax) {
      unused({"epsilon"}, "readout softmax has no smoothing");
    }
  }

  // `sample` draws as many validation chains as `train` does.
  void choose_chains() {
    const bool validation = setting().sampling.purpose == Purpose::validation;
    problem_.unused.insert(validation ? "chains" : "validation-chains");
    if (!validation || faults_.about({Field::validation_chains})) return;
    setting().sampling.count = setting().validation_chains;
    if (setting().validation_chains == 0) {
      refuse(fault(Field::validation_chains, 0, "must be at least 1 with {} validation",
                   Field::purpose));
    }
  }

  ErrorList chain_errors() const {
    const SamplingOptions& sampling = problem_.setting.sampling;
    if (!kernels_alone()) return sampling_errors(sampling, problem_.kernels.get());
    return problem_.kernels ? ErrorList() : prior_errors(sampling.prior);
  }

  // What chain/ refuses, but for settings that are known to be faulty.
  void check_chains() {
    if (problem_.data ||
        faults_.about({Field::data, Field::kernels, Field::vocabulary, Field::parents})) {
      return;
    }
    const ErrorList errors = chain_errors();
    for (const Fault& fault : errors.faults()) {
      if (!faults_.about({fault.field})) refuse(fault);
    }
  }

  void check_model() {
    if (is(Command::sample) || is(Command::rank)) return;
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
    if (!problem_.parameters && !faults_.about({Field::heads, Field::window, Field::parameters}) &&
        model.head_windows == HeadWindows::shared && model.heads > model.window) {
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
    const double base =
        static_cast<double>(model.vocabulary) + (model.boundary == Boundary::partial ? 1.0 : 0.0);
    if (!faults_.about({Field::vocabulary, Field::window, Field::heads, Field::data, Field::kernels,
                        Field::parameters}) &&
        std::pow(base, static_cast<double>(model.widest())) *
                static_cast<double>(model.vocabulary) >=
            most_window_codes) {
      refuse(
          fault(Field::window, model.window,
                "windows of {} tokens of a vocabulary of {} are too many to be numbered: must be "
                "fewer than 2^62",
                model.widest(), model.vocabulary));
    }
    if (setting().device == Device::cuda && !cuda_fault().empty()) {
      refuse({Field::device, "cuda", cuda_fault(), ""});
    }
    if (setting().device == Device::cuda && setting().engine == Engine::reference) {
      refuse(
          fault(Field::engine, "reference",
                "must be auto, dense or sparse with {} cuda, since the reference runs on the CPU "
                "alone",
                Field::device));
    }
  }

  void check_stages() {
    if (!find_option("stages")->belongs_to(problem_.command) || faults_.about({Field::stages})) {
      return;
    }
    if (setting().stages.empty()) {
      refuse(fault(Field::stages, "", "must be at least one stage BLOCKS:TIME, as in c:2000"));
      return;
    }
    if (setting().stages.size() > most_stages) {
      refuse(fault(Field::stages, "", "{} of them: must be at most {}", setting().stages.size(),
                   most_stages));
    }
    double shortest = setting().stages.front().duration;
    for (const Stage& stage : setting().stages) {
      shortest = std::min(shortest, stage.duration);
      if (!(stage.c || stage.w || stage.a) || !std::isfinite(stage.duration) ||
          stage.duration <= 0.0) {
        refuse(fault(Field::stages, to_string(Schedule{stage}),
                     "must train a block for a positive TIME"));
      }
    }
    check_descent();
    if (setting().flow.first_output >= shortest && !faults_.about({Field::first_output})) {
      refuse(fault(Field::first_output, setting().flow.first_output,
                   "must be less than every TIME of {}, {} at least", Field::stages, shortest));
    }
  }

  void check_descent() {
    const Setting& s = setting();
    if (is(Command::compare)) {
      if (!faults_.about({Field::learning_rates})) {
        refuse(compare_errors(s.stages, problem_.comparison()));
      }
      return;
    }
    if (s.method != TrainingMethod::gd ||
        faults_.about({Field::learning_rate, Field::batch, Field::chains})) {
      return;
    }
    if (s.resample && !s.data.empty()) {
      refuse(fault(Field::resample, "",
                   "must be left out beside {} {}, which cannot be drawn afresh", Field::data,
                   s.data));
    }
    if (problem_.infinite() && s.resample) {
      refuse(fault(Field::resample, "", "must be left out in {} infinite", Field::context));
    }
    if (problem_.infinite() && s.batch > 0) {
      refuse(fault(Field::batch, s.batch, "must be 0 in {} infinite", Field::context));
    }
    DescentOptions options;
    options.learning_rate = s.learning_rate;
    options.batch = s.resample ? 0 : s.batch;
    refuse(descent_errors(s.stages, options, s.sampling.count));
  }

  void check_outputs() {
    const std::string& kernels = setting().kernels_output;
    if (!kernels.empty() && kernels == setting().output) {
      refuse(fault(Field::kernels_output, kernels, "must differ from {}", Field::output));
    }
    if (!kernels.empty() && !setting().kernels.empty()) {
      refuse(fault(Field::kernels_output, kernels,
                   "must be left out beside {} {}, which are the kernels", Field::kernels,
                   setting().kernels));
    }
    if (find_option("output")->belongs_to(problem_.command)) {
      check_output(Field::output, setting().output);
    }
    if (is(Command::sample)) check_output(Field::kernels_output, kernels);
  }

  void check_output(Field field, const std::string& path) {
    if (path.empty()) return;
    std::error_code ignored;
    for (const std::string& input :
         {setting().data, setting().validation_data, setting().kernels, setting().parameters}) {
      if (!input.empty() && std::filesystem::equivalent(path, input, ignored)) {
        refuse(fault(field, path, "must not be a file that is read"));
        return;
      }
    }
    if (setting().dry_run || problem_.resumed) return;
    if (const auto fault = output_fault(field, path, setting().force)) refuse(*fault);
  }

  Problem problem_;
  ErrorList faults_;
};

SamplingOptions sampling_for(const Problem& problem, Purpose purpose, Index count) {
  SamplingOptions sampling = problem.setting.sampling;
  sampling.purpose = purpose;
  sampling.count = count;
  return sampling;
}

std::shared_ptr<const SequenceSource> drawn(const Problem& problem, Purpose purpose, Index count) {
  const SamplingOptions sampling = sampling_for(problem, purpose, count);
  if (problem.kernels) return sample_kernels(problem.kernels, sampling);
  return sample_prior(sampling);
}

std::shared_ptr<const Kernels> drawn_kernels(const Setting& setting, Purpose purpose, Index count) {
  return std::make_shared<const Kernels>(
      draw_kernels(setting.sampling.prior, setting.sampling.seed, purpose, count));
}

}  // namespace

std::shared_ptr<const Kernels> Problem::chain_kernels() const {
  if (kernels) return kernels;
  return drawn_kernels(setting, command == Command::rank ? Purpose::rank : Purpose::train,
                       setting.sampling.count);
}

std::shared_ptr<const Kernels> Problem::validation_kernels() const {
  if (setting.validation_chains == 0 || command != Command::train) return nullptr;
  return drawn_kernels(setting, Purpose::validation, setting.validation_chains);
}

std::shared_ptr<const SequenceSource> Problem::chains() const {
  if (data) return stored_sequences(data);
  return drawn(*this, command == Command::sample ? setting.sampling.purpose : Purpose::train,
               setting.sampling.count);
}

std::shared_ptr<const SequenceSource> Problem::validation_chains() const {
  if (validation_data) return stored_sequences(validation_data);
  if (setting.validation_chains == 0 || command != Command::train) return nullptr;
  return drawn(*this, Purpose::validation, setting.validation_chains);
}

DescentOptions Problem::descent() const {
  DescentOptions options;
  options.optimizer = setting.optimizer;
  options.learning_rate = setting.learning_rate;
  options.batch = setting.batch;
  options.seed = setting.sampling.seed;
  options.outputs = setting.flow.outputs;
  options.first_output = setting.flow.first_output;
  options.max_steps = setting.flow.max_steps;
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
  std::set<std::string> left_out = unused;
  if (resumed) {  // a run that goes on keeps the keys that its config has
    for (const Option& option : options()) {
      if (!setting.given.contains(option.name)) left_out.insert(option.name);
    }
  }
  return {version(), git_commit(), config_text(setting, command, left_out), setting.sampling.seed};
}

Problem prepare(Assembled assembled, Command command) {
  if (command == Command::train && !assembled.setting.resume.empty()) {
    assembled = assemble_resumption(assembled);
    const Setting& setting = assembled.setting;
    if (!nothing_left(assembled.resumed->run, setting.flow.max_steps, setting.resume).empty()) {
      Problem problem;
      problem.setting = std::move(assembled.setting);
      problem.notes = std::move(assembled.notes);
      problem.resumed = std::move(assembled.resumed);
      return problem;
    }
  }
  return Preparation(std::move(assembled), command).finish();
}

Problem prepare(const Setting& setting, Command command) {
  return prepare(Assembled{setting, {}, {}, nullptr}, command);
}

Problem prepare(const SampleSetting& setting) {
  return prepare(Setting(setting), Command::sample);
}
Problem prepare(const TrainSetting& setting) {
  return prepare(Setting(setting), Command::train);
}
Problem prepare(const EvaluateSetting& setting) {
  return prepare(Setting(setting), Command::evaluate);
}
Problem prepare(const RankSetting& setting) {
  return prepare(Setting(setting), Command::rank);
}
Problem prepare(const CompareSetting& setting) {
  return prepare(Setting(setting), Command::compare);
}
Problem prepare(const PredictSetting& setting) {
  return prepare(Setting(setting), Command::predict);
}
Problem prepare(const VerifySetting& setting) {
  return prepare(Setting(setting), Command::verify);
}

}  // namespace gihflow
