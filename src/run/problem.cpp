#include "gihflow/run/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

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
    if (faults_.sentences.empty()) {
      for (const std::string& message : estimate_errors(problem_, estimate(problem_))) {
        fault("", message);
      }
    }
    if (!faults_.sentences.empty()) throw InputError(std::move(faults_.sentences));
    return std::move(problem_);
  }

 private:
  Setting& setting() { return problem_.setting; }
  bool is(Command command) const { return problem_.command == command; }
  // Whether only the kernels of the chains matter, and nothing of sequences.
  bool kernels_alone() const { return is(Command::rank) || problem_.infinite(); }
  bool given(const std::string& option) const { return problem_.setting.given.contains(option); }

  void fault(const std::string& option, const std::string& sentence) {
    faults_.add(option, located(problem_.setting, sentence));
  }
  // Fields that a library user may have set to anything; those from a parser are in range already.
  void check_ranges() {
    for (const Option& option : options()) {
      const std::optional<Value> value = option.get(setting());
      if (!option.belongs_to(problem_.command) || !value || option.accepts(*value) ||
          faults_.about({option.name.c_str()})) {
        continue;
      }
      fault(option.name,
            fmt::format("{} {}: must be {}", option.name, to_string(*value), option.allowed));
    }
    if (setting().model.vocabulary == 0) {
      setting().model.vocabulary = setting().sampling.prior.vocabulary;
    } else if (setting().model.vocabulary != setting().sampling.prior.vocabulary) {
      fault("vocabulary",
            fmt::format("vocabulary {} of the model: must be that of the prior, {}",
                        setting().model.vocabulary, setting().sampling.prior.vocabulary));
    }
  }

  // Reads a file; its faults are added to the others.
  template <class Read>
  auto read(const char* option, const std::string& path, Read reader)
      -> std::optional<decltype(reader(path, Isolation()))> {
    if (path.empty()) return std::nullopt;
    try {
      return reader(path, setting().isolation);
    } catch (const InputError& error) {
      const std::string hint = problem_.resumed && !std::filesystem::exists(path)
                                   ? fmt::format("; if it has moved, give {}", option)
                                   : "";
      for (const std::string& message : error.messages()) faults_.add(option, message + hint);
      return std::nullopt;
    }
  }

  // Takes over what a file fixes, unless an option that was given says otherwise.
  template <class T>
  void fix(const char* option, T& field, const T& value, const std::string& path) {
    if (given(option) && !faults_.about({option}) && field != value) {
      fault(option, fmt::format("{} {}: must be {}, which {} fixes", option, printed(field),
                                printed(value), path));
    }
    field = value;
  }
  static std::string printed(Index x) { return fmt::format("{}", x); }
  static std::string printed(const std::vector<Index>& x) {
    return x.empty() ? "none" : to_string_lags(x);
  }

  void fix_vocabulary(Index vocabulary, const std::string& path) {
    fix("vocabulary", setting().sampling.prior.vocabulary, vocabulary, path);
    setting().model.vocabulary = vocabulary;
  }

  void read_files() {
    if (!setting().data.empty() && !setting().kernels.empty()) {
      fault("kernels", fmt::format("kernels {}: must not be given beside data {}",
                                   setting().kernels, setting().data));
      return;
    }
    for (const char* name : {"data", "validation-data"}) {
      const std::optional<Value> path = find_option(name)->get(setting());
      if (problem_.infinite() && path) {
        fault(name, fmt::format("{} {}: must be left out in context infinite, which needs kernels",
                                name, to_string(*path)));
      }
    }
    if (faults_.about({"data", "validation-data"})) return;
    use_data();
    use_kernels();
    use_validation_data();
    use_parameters();
  }

  void use_data() {
    auto read_one = read("data", setting().data, read_data);
    if (!read_one) return;
    const std::string& path = setting().data;
    auto data = std::make_shared<const Sequences>(std::move(*read_one));
    fix_vocabulary(data->vocabulary, path);
    fix("length", setting().sampling.length, data->length, path);
    fix("chains", setting().sampling.count, data->count, path);
    problem_.parents_known = !data->parents.empty() || given("parents");
    if (!data->parents.empty()) {
      fix("parents", setting().sampling.prior.parents, data->parents, path);
    }
    fix_labels(*data, path);
    if (setting().validation_data.empty()) {
      no_validation("be 0 or left out beside data without validation-data");
    }
    problem_.data = std::move(data);
  }

  void fix_labels(const Sequences& data, const std::string& path) {
    const std::string word = to_string(*find_option("labels")->get(setting()));
    if (!data.targets.empty()) {
      if (given("labels")) {
        fault("labels",
              fmt::format("labels {}: must be left out, since {} has /targets", word, path));
      }
    } else {
      if (given("labels") && setting().sampling.labels != Labels::sampled) {
        fault("labels",
              fmt::format("labels {}: must be sampled, since {} has no /targets", word, path));
      }
      setting().sampling.labels = Labels::sampled;
    }
  }

  void use_kernels() {
    auto read_one = read("kernels", setting().kernels, read_kernels);
    if (!read_one) return;
    const std::string& path = setting().kernels;
    fix_vocabulary(read_one->vocabulary, path);
    fix("parents", setting().sampling.prior.parents, read_one->parents, path);
    if (kernels_alone()) {
      fix("chains", setting().sampling.count, read_one->count, path);
    } else if (!given("chains")) {
      setting().sampling.count = read_one->count;
    }
    if (problem_.infinite()) {
      no_validation("be 0 or left out beside kernels in context infinite");
    }
    problem_.kernels = std::make_shared<const Kernels>(std::move(*read_one));
  }

  void no_validation(const char* must) {
    if (given("validation-chains") && setting().validation_chains > 0) {
      fault("validation-chains",
            fmt::format("validation-chains {}: must {}", setting().validation_chains, must));
    }
    setting().validation_chains = 0;
  }

  void use_validation_data() {
    auto read_one = read("validation-data", setting().validation_data, read_data);
    if (!read_one) return;
    const std::string& path = setting().validation_data;
    if (!faults_.about({"data", "kernels", "vocabulary"}) &&
        read_one->vocabulary != setting().model.vocabulary) {
      faults_.add("validation-data",
                  fmt::format("{}: attribute vocabulary_size {}: must be {}, as in training", path,
                              read_one->vocabulary, setting().model.vocabulary));
    }
    if (setting().model.boundary == Boundary::masked &&
        read_one->length <= setting().model.widest()) {
      faults_.add("validation-data",
                  fmt::format("{}: sequences of length {}: must exceed the widest lag, {}, with "
                              "boundary masked",
                              path, read_one->length, setting().model.widest()));
    }
    fix("validation-chains", setting().validation_chains, read_one->count, path);
    problem_.validation_data = std::make_shared<const Sequences>(std::move(*read_one));
  }

  void use_parameters() {
    if (problem_.resumed) {  // they have been left behind
      if (!setting().parameters.empty()) problem_.parameters = problem_.resumed->run.state.start;
      return;
    }
    auto read_one = read("parameters", setting().parameters, read_parameters);
    if (!read_one) return;
    const std::string& path = setting().parameters;
    fix("window", setting().model.window, read_one->window, path);
    fix("heads", setting().model.heads, read_one->heads, path);
    fix("degree", setting().model.degree, read_one->degree, path);
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
        if (given(name) && !faults_.about({name})) told.emplace_back(name);
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
    if (!validation || faults_.about({"validation-chains"})) return;
    setting().sampling.count = setting().validation_chains;
    if (setting().validation_chains == 0) {
      fault("validation-chains", "validation-chains 0: must be at least 1 with purpose validation");
    }
  }

  std::vector<std::string> chain_errors() const {
    const SamplingOptions& sampling = problem_.setting.sampling;
    if (!kernels_alone()) return sampling_errors(sampling, problem_.kernels.get());
    return problem_.kernels ? std::vector<std::string>() : prior_errors(sampling.prior);
  }

  // What chain/ refuses, but for options that are known to be faulty.
  void check_chains() {
    if (problem_.data || faults_.about({"data", "kernels", "vocabulary", "parents"})) return;
    for (const std::string& message : chain_errors()) {
      const std::string option = message.substr(0, message.find_first_of(" :"));
      if (!faults_.about({option.c_str()})) fault(option, message);
    }
  }

  void check_model() {
    if (is(Command::sample) || is(Command::rank)) return;
    const Model& model = setting().model;
    if (!faults_.about({"degree", "heads", "parameters"})) {
      if (model.degree > model.heads) {
        fault("degree", fmt::format("degree {}: must be at most the number of heads, {}",
                                    model.degree, model.heads));
      } else {
        try {
          static_cast<void>(subset_count(model.heads, model.degree));
        } catch (const InputError& error) {
          fault("degree", error.what());
        }
      }
    }
    if (!problem_.parameters && !faults_.about({"heads", "window", "parameters"}) &&
        model.head_windows == HeadWindows::shared && model.heads > model.window) {
      fault("heads",
            fmt::format("heads {}: must be at most the window, {}, with head-windows shared, "
                        "since head h starts on its own lag h; or give parameters",
                        model.heads, model.window));
    }
    if (!problem_.infinite() &&
        !faults_.about({"length", "window", "heads", "data", "parameters"}) &&
        model.boundary == Boundary::masked && setting().sampling.length <= model.widest()) {
      fault("length", fmt::format("length {}: must exceed the widest lag, {}, with boundary masked",
                                  setting().sampling.length, model.widest()));
    }
    const double base =
        static_cast<double>(model.vocabulary) + (model.boundary == Boundary::partial ? 1.0 : 0.0);
    if (!faults_.about({"vocabulary", "window", "heads", "data", "kernels", "parameters"}) &&
        std::pow(base, static_cast<double>(model.widest())) *
                static_cast<double>(model.vocabulary) >=
            most_window_codes) {
      fault("window", fmt::format("window {}: windows of {} tokens of a vocabulary of {} are "
                                  "too many to be numbered: must be fewer than 2^62",
                                  model.window, model.widest(), model.vocabulary));
    }
    if (setting().device == Device::cuda && !cuda_fault().empty()) {
      fault("device", "device cuda: " + cuda_fault());
    }
    if (setting().device == Device::cuda && setting().engine == Engine::reference) {
      fault("engine",
            "engine reference: must be auto, dense or sparse with device cuda, since the "
            "reference runs on the CPU alone");
    }
  }

  void check_stages() {
    if (!find_option("stages")->belongs_to(problem_.command) || faults_.about({"stages"})) {
      return;
    }
    if (setting().stages.empty()) {
      fault("stages", "stages: must be at least one stage BLOCKS:TIME, as in c:2000");
      return;
    }
    if (setting().stages.size() > most_stages) {
      fault("stages", fmt::format("stages, {} of them: must be at most {}", setting().stages.size(),
                                  most_stages));
    }
    double shortest = setting().stages.front().duration;
    for (const Stage& stage : setting().stages) {
      shortest = std::min(shortest, stage.duration);
      if (!(stage.c || stage.w || stage.a) || !std::isfinite(stage.duration) ||
          stage.duration <= 0.0) {
        fault("stages", fmt::format("stages {}: must train a block for a positive TIME",
                                    to_string(Schedule{stage})));
      }
    }
    check_descent();
    if (setting().flow.first_output >= shortest && !faults_.about({"first-output"})) {
      fault("first-output",
            fmt::format("first-output {}: must be less than every TIME of stages, {} at least",
                        setting().flow.first_output, shortest));
    }
  }

  void check_descent() {
    const Setting& s = setting();
    if (is(Command::compare)) {
      if (faults_.about({"learning-rates"})) return;
      for (const std::string& message : compare_errors(s.stages, problem_.comparison())) {
        fault("learning-rates", message);
      }
      return;
    }
    if (s.method != TrainingMethod::gd || faults_.about({"learning-rate", "batch", "chains"})) {
      return;
    }
    if (s.resample && !s.data.empty()) {
      fault("resample", fmt::format("resample: must be left out beside data {}, which cannot be "
                                    "drawn afresh",
                                    s.data));
    }
    if (problem_.infinite() && s.resample) {
      fault("resample", "resample: must be left out in context infinite");
    }
    if (problem_.infinite() && s.batch > 0) {
      fault("batch", fmt::format("batch {}: must be 0 in context infinite", s.batch));
    }
    DescentOptions options;
    options.learning_rate = s.learning_rate;
    options.batch = s.resample ? 0 : s.batch;
    for (const std::string& message : descent_errors(s.stages, options, s.sampling.count)) {
      fault(message.substr(0, message.find_first_of(" :")), message);
    }
  }

  void check_outputs() {
    const std::string& kernels = setting().kernels_output;
    if (!kernels.empty() && kernels == setting().output) {
      fault("kernels-output", fmt::format("kernels-output {}: must differ from output", kernels));
    }
    if (!kernels.empty() && !setting().kernels.empty()) {
      fault("kernels-output", fmt::format("kernels-output {}: must be left out beside kernels "
                                          "{}, which are the kernels",
                                          kernels, setting().kernels));
    }
    for (const char* name : {"output", "kernels-output"}) check_output(*find_option(name));
  }

  void check_output(const Option& option) {
    const std::optional<Value> value = option.get(setting());
    if (!value || !option.belongs_to(problem_.command)) return;
    const std::string path = to_string(*value);
    std::error_code ignored;
    for (const std::string& input :
         {setting().data, setting().validation_data, setting().kernels, setting().parameters}) {
      if (!input.empty() && std::filesystem::equivalent(path, input, ignored)) {
        fault(option.name,
              fmt::format("{} {}: must not be a file that is read", option.name, path));
        return;
      }
    }
    if (setting().dry_run || problem_.resumed) return;
    for (const std::string& message :
         output_errors(path, setting().force, fmt::format("{} {}", option.name, path))) {
      fault(option.name, message);
    }
  }

  Problem problem_;
  Faults faults_;
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
