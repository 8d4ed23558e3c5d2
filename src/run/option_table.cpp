// The option table: what each option is called, what it means, what it may be.

#include <algorithm>
#include <charconv>

#include "gihflow/base/errors.hpp"
#include "run/option_rows.hpp"

namespace gihflow {

namespace {

std::optional<double> parse_real(const std::string& text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Commands that compute something.
constexpr unsigned computing = Command::sample | Command::train | Command::evaluate |
                               Command::rank | Command::compare | Command::check |
                               Command::predict | Command::verify;
/// Commands that hold theory against a setting.
constexpr unsigned theory = Command::predict | Command::verify;
/// Commands on a model and its chains.
constexpr unsigned on_models = Command::train | Command::evaluate | Command::compare | theory;
constexpr Index unlimited = std::numeric_limits<Index>::max();

const Place chains{"Chains", on_models | Command::sample};
// Chains as far as their kernels go, and the lags that there are: what `rank` needs.
const Place kernels{"Chains", chains.commands | Command::rank};
const Place validation{"Chains", Command::train | Command::sample};
const Place model{"Model", on_models};
const Place lags{"Model", model.commands | Command::rank};
const Place start{"Initial point", on_models};
const Place integration{"Training", Command::train | Command::compare | Command::verify};
const Place descent{"Training", static_cast<unsigned>(Command::train)};
const Place comparison{"Training", static_cast<unsigned>(Command::compare)};

template <class Field>
Option seed_row(Field field) {
  Option option = integer_row(
      {"seed", "K",
       "Seed of all random draws; a chain depends on the seed, what it is drawn for and its own "
       "number alone"},
      {"Computation", computing}, 0, unlimited, field);
  option.set = [](Setting& s, const Value& value) {
    s.check_seed = s.sampling.seed = static_cast<std::uint64_t>(std::get<std::int64_t>(value));
  };
  return option;
}

Option parents_row() {
  Option option = row({"parents", "LAGS", "Parent lags: x_l depends on the tokens so far back"},
                      kernels, Kind::integers, "increasing lags of at least 1, as in 1,2");
  option.accepts = [](const Value& value) {
    return are_parents(std::get<std::vector<std::int64_t>>(value));
  };
  option.get = [](const Setting& s) -> std::optional<Value> { return s.sampling.prior.parents; };
  option.set = [](Setting& s, const Value& value) {
    s.sampling.prior.parents = std::get<std::vector<std::int64_t>>(value);
  };
  return option;
}

Option vocabulary_row() {
  return integer_row(
      {"vocabulary", "d", "Number of tokens"}, kernels, 2, max_vocabulary,
      [](auto& s) -> auto& { return s.sampling.prior.vocabulary; });
}

// The one prior there is; its row keeps the place for others.
Option prior_row() {
  Option option =
      row({"prior", "NAME", "Prior over transition kernels"}, kernels, Kind::choice, "dirichlet");
  option.choices = {"dirichlet"};
  option.accepts = [](const Value& value) { return std::get<std::string>(value) == "dirichlet"; };
  option.get = [](const Setting&) -> std::optional<Value> { return "dirichlet"; };
  option.set = [](Setting&, const Value&) {};
  return option;
}

Option preset_row() {
  Option option = row(
      {"preset", "NAME",
       "Conventions of the paper or of its authors' published experiments: sets --boundary, "
       "--head-windows, --head-normalization, --readout, --initial-law, --labels and --w-other, "
       "each of which wins over it when given",
       "paper"},
      {"Model", chains.commands}, Kind::choice, "paper or reference");
  option.choices = {"paper", "reference"};
  option.accepts = [](const Value& value) {
    return std::get<std::string>(value) == "paper" || std::get<std::string>(value) == "reference";
  };
  option.get = [](const Setting&) -> std::optional<Value> { return std::nullopt; };
  option.set = [](Setting& s, const Value& value) {
    apply_preset(s, std::get<std::string>(value));
  };
  return option;
}

Option stages_row() {
  Option option =
      row({"stages", "LIST",
           "Stages of training, BLOCKS:TIME each: the blocks that move, letters of c, w, a, and "
           "for how much flow time"},
          {integration.group, integration.commands | Command::predict}, Kind::words,
          "stages BLOCKS:TIME, as in c:2000,w:50000,a:5000");
  option.get = [](const Setting& s) -> std::optional<Value> {
    std::vector<std::string> words;
    for (const Stage& stage : s.stages) words.push_back(to_string(Schedule{stage}));
    return words;
  };
  option.set = [](Setting& s, const Value& value) {
    const auto& words = std::get<std::vector<std::string>>(value);
    s.stages = parse_schedule(fmt::format("{}", fmt::join(words, ",")));
  };
  return option;
}

Option max_steps_row() {
  Option option = integer_row(
      {"max-steps", "K", "Stop after so many steps, accepted and rejected", "no limit"},
      integration, 1, unlimited, [](auto& s) -> auto& { return s.flow.max_steps; });
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.flow.max_steps == unlimited) return std::nullopt;
    return s.flow.max_steps;
  };
  return option;
}

Option first_output_row() {
  Option option = real_row(
      {"first-output", "T", "First output time after 0, in flow time",
       "1 or a thousandth of the stage, whichever is less"},
      integration, Least::above_zero, [](auto& s) -> auto& { return s.flow.first_output; });
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.flow.first_output == 0.0) return std::nullopt;
    return s.flow.first_output;
  };
  return option;
}

const Place checking{"Check", static_cast<unsigned>(Command::check), false};

Option lengths_row() {
  Option option = row({"lengths", "LIST", "Context lengths of the fresh sequences", "the run's"},
                      checking, Kind::integers, "lengths of at least 1, as in 64,1024");
  option.accepts = [](const Value& value) {
    const auto& lengths = std::get<std::vector<std::int64_t>>(value);
    return !lengths.empty() && std::all_of(lengths.begin(), lengths.end(), [](std::int64_t length) {
      return length >= 1 && length <= max_length;
    });
  };
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.check_lengths.empty()) return std::nullopt;
    return s.check_lengths;
  };
  option.set = [](Setting& s, const Value& value) {
    s.check_lengths = std::get<std::vector<std::int64_t>>(value);
  };
  return option;
}

Option alphas_row() {
  Option option =
      row({"alphas", "LIST", "Concentrations of the priors of the fresh sequences", "the run's"},
          checking, Kind::words, "finite numbers above 0, as in 0.1,1");
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.check_alphas.empty()) return std::nullopt;
    std::vector<std::string> words;
    for (const double alpha : s.check_alphas) words.push_back(fmt::format("{}", alpha));
    return words;
  };
  option.set = [](Setting& s, const Value& value) {
    std::vector<double> alphas;
    for (const std::string& word : std::get<std::vector<std::string>>(value)) {
      const Option number = real_row(
          {"alphas", "X", ""}, checking, Least::above_zero,
          [](auto& t) -> auto& { return t.tolerance; });
      const std::optional<Value> alpha = parse_value(number, word);
      if (!alpha || !number.accepts(*alpha)) {
        throw InputError(
            Fault{Field::alphas, word, "must be finite numbers above 0, as in 0.1,1", ""});
      }
      alphas.push_back(std::get<double>(*alpha));
    }
    s.check_alphas = std::move(alphas);
  };
  return option;
}

void add_check_rows(std::vector<Option>& table) {
  table.push_back(lengths_row());
  table.push_back(alphas_row());
  table.push_back(integer_row(
      {"fresh-chains", "N", "Fresh sequences for each length and prior"}, checking, 1, unlimited,
      [](auto& s) -> auto& { return s.fresh_chains; }));
  table.push_back(real_row(
      {"tolerance", "X", "Mean total variation up to which a model is the limit"}, checking,
      Least::above_zero, [](auto& s) -> auto& { return s.tolerance; }));
}

const Place auditing{"Audit", static_cast<unsigned>(Command::audit), false};

Option audit_stage_row() {
  Option option = row({"stage", "K", "Stage whose stretches are looked at", "any"}, auditing,
                      Kind::integer, "an integer of at least 1");
  option.accepts = [](const Value& value) { return std::get<std::int64_t>(value) >= 1; };
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.audit_stage) return std::nullopt;
    return std::int64_t{*s.audit_stage};
  };
  option.set = [](Setting& s, const Value& value) {
    s.audit_stage = std::get<std::int64_t>(value);
  };
  return option;
}

Option audit_from_row() {
  Option option = row({"from", "T", "Flow time in the stretch that is computed again, with --stage",
                       "one stretch at random"},
                      auditing, Kind::real, "a finite number of at least 0");
  option.accepts = [](const Value& value) {
    return in_range(std::get<double>(value), Least::zero);
  };
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.audit_from) return std::nullopt;
    return *s.audit_from;
  };
  option.set = [](Setting& s, const Value& value) { s.audit_from = std::get<double>(value); };
  return option;
}

Option threads_row() {
  Option option = row({"threads", "K", "Threads; results do not depend on them",
                       "every core that the process may use"},
                      {"Computation", computing | Command::audit, false}, Kind::integer,
                      "an integer from 1 to 1024");
  option.accepts = [](const Value& value) {
    return std::get<std::int64_t>(value) >= 1 && std::get<std::int64_t>(value) <= 1024;
  };
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.threads) return std::nullopt;
    return std::int64_t{*s.threads};
  };
  option.set = [](Setting& s, const Value& value) {
    s.threads = static_cast<int>(std::get<std::int64_t>(value));
  };
  return option;
}

Option max_wall_row() {
  Option option =
      row({"max-wall", "S", "Stop with a checkpoint within so many seconds", "no limit"},
          {"Output", static_cast<unsigned>(Command::train), false}, Kind::real,
          "a finite number above 0");
  option.accepts = [](const Value& value) {
    return in_range(std::get<double>(value), Least::above_zero);
  };
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.max_wall) return std::nullopt;
    return *s.max_wall;
  };
  option.set = [](Setting& s, const Value& value) { s.max_wall = std::get<double>(value); };
  return option;
}

void add_audit_rows(std::vector<Option>& table) {
  table.push_back(audit_stage_row());
  table.push_back(audit_from_row());
  table.push_back(flag_row(
      {"all", "", "Compute all stretches again, of the run or of --stage"}, auditing,
      [](auto& s) -> auto& { return s.audit_all; }));
}

void add_chain_rows(std::vector<Option>& table) {
  table.push_back(vocabulary_row());
  table.push_back(parents_row());
  table.push_back(prior_row());
  table.push_back(real_row(
      {"alpha", "X", "Concentration of the Dirichlet prior"}, kernels, Least::above_zero,
      [](auto& s) -> auto& { return s.sampling.prior.alpha; }));
  table.push_back(real_row(
      {"floor", "X",
       "Least transition probability, below 1/d: mixes each row with the uniform law"},
      kernels, Least::zero, [](auto& s) -> auto& { return s.sampling.prior.floor; }));
  table.push_back(choice_row<InitialLaw>(
      {"initial-law", "LAW", "Law of the first tokens"}, chains,
      {{"stationary", InitialLaw::stationary}, {"uniform", InitialLaw::uniform}},
      [](auto& s) -> auto& { return s.sampling.initial_law; }));
  table.push_back(choice_row<Labels>(
      {"labels", "KIND",
       "What the loss is taken against: the transition law at the label, the label drawn from "
       "it, or its posterior given the sequence"},
      chains,
      {{"conditional", Labels::conditional},
       {"sampled", Labels::sampled},
       {"posterior", Labels::posterior}},
      [](auto& s) -> auto& { return s.sampling.labels; }));
  table.push_back(integer_row(
      {"length", "L", "Context length; the label follows it"}, chains, 1, max_length,
      [](auto& s) -> auto& { return s.sampling.length; }));
  table.push_back(integer_row(
      {"chains", "N", "Number of chains, one sequence each"}, kernels, 1, unlimited,
      [](auto& s) -> auto& { return s.sampling.count; }));
  table.push_back(choice_row<Purpose>(
      {"purpose", "KIND",
       "Which chains of the seed: some of their own, or exactly those that train draws, the "
       "training chains or the validation chains"},
      {"Chains", static_cast<unsigned>(Command::sample)},
      {{"sample", Purpose::sample}, {"train", Purpose::train}, {"validation", Purpose::validation}},
      [](auto& s) -> auto& { return s.sampling.purpose; }));
  table.push_back(integer_row(
      {"validation-chains", "N", "Further chains, for the validation loss"}, validation, 0,
      unlimited, [](auto& s) -> auto& { return s.validation_chains; }));
}

void add_file_rows(std::vector<Option>& table) {
  const char* group = "Input files";
  table.push_back(path_row(
      {"data", "FILE", "Sequences to use instead of drawing chains", "none"},
      {group, Command::train | Command::evaluate | Command::compare | Command::audit},
      [](auto& s) -> auto& { return s.data; }));
  table.push_back(path_row(
      {"validation-data", "FILE", "Sequences for the validation loss", "none"},
      {group, Command::train | Command::audit},
      [](auto& s) -> auto& { return s.validation_data; }));
  table.push_back(path_row(
      {"kernels", "FILE", "Transition kernels to draw sequences from, instead of the prior",
       "none"},
      {group, kernels.commands | Command::check | Command::audit},
      [](auto& s) -> auto& { return s.kernels; }));
  table.push_back(path_row(
      {"parameters", "FILE",
       "Parameters to start from or evaluate at; a run file gives its final ones",
       "the initial point"},
      {group, on_models}, [](auto& s) -> auto& { return s.parameters; }));
}

void add_model_rows(std::vector<Option>& table) {
  table.push_back(preset_row());
  table.push_back(choice_row<ContextLength>(
      {"context", "KIND",
       "Sequences of --length tokens, or the limit of long ones, exact for each chain"},
      model, {{"finite", ContextLength::finite}, {"infinite", ContextLength::infinite}},
      [](auto& s) -> auto& { return s.context; }));
  table.push_back(integer_row(
      {"window", "M", "Lags that a head of the first attention sees"}, lags, 1, 65535,
      [](auto& s) -> auto& { return s.model.window; }));
  table.push_back(integer_row(
      {"heads", "H", "Heads of the first attention"}, model, 1, 30,
      [](auto& s) -> auto& { return s.model.heads; }));
  table.push_back(integer_row(
      {"degree", "D", "Most heads in a subset S of the feature map; most lags in a set"}, lags, 0,
      30, [](auto& s) -> auto& { return s.model.degree; }));
  table.push_back(choice_row<Boundary>(
      {"boundary", "KIND",
       "Leave out the positions whose window is incomplete, or let them take part with the lags "
       "that exist"},
      model, {{"masked", Boundary::masked}, {"partial", Boundary::partial}},
      [](auto& s) -> auto& { return s.model.boundary; }));
  table.push_back(choice_row<HeadWindows>(
      {"head-windows", "KIND", "Head h sees lags 1 to M, or lags h to h+M-1"}, model,
      {{"shared", HeadWindows::shared}, {"shifted", HeadWindows::shifted}},
      [](auto& s) -> auto& { return s.model.head_windows; }));
  table.push_back(choice_row<HeadNormalization>(
      {"head-normalization", "KIND", "Norm that the heads' outputs are divided by"}, model,
      {{"none", HeadNormalization::none}, {"l2", HeadNormalization::l2}},
      [](auto& s) -> auto& { return s.model.head_normalization; }));
  table.push_back(choice_row<Readout>(
      {"readout", "KIND", "Take the output as probabilities, or as logits"}, model,
      {{"log", Readout::log}, {"softmax", Readout::softmax}},
      [](auto& s) -> auto& { return s.model.readout; }));
  table.push_back(real_row(
      {"epsilon", "X", "Smoothing of the probabilities in the loss"}, model, Least::zero,
      [](auto& s) -> auto& { return s.model.epsilon; }));
}

void add_start_rows(std::vector<Option>& table) {
  table.push_back(real_row(
      {"w-own", "X", "Logit of head h on its own lag h"}, start, Least::any,
      [](auto& s) -> auto& { return s.initial.w_own; }));
  table.push_back(real_row(
      {"w-other", "X", "Logit on every other lag"}, start, Least::any,
      [](auto& s) -> auto& { return s.initial.w_other; }));
  Option c = real_row(
      {"c-init", "X", "Coefficient of every subset"}, start, Least::any,
      [](auto& s) -> auto& { return s.initial.c; });
  c.allowed = std::string("a finite number other than 0");
  c.accepts = [](const Value& value) {
    return in_range(std::get<double>(value), Least::any) && std::get<double>(value) != 0.0;
  };
  table.push_back(std::move(c));
  table.push_back(real_row(
      {"a-init", "X", "Scale of the second attention"}, start, Least::any,
      [](auto& s) -> auto& { return s.initial.a; }));
}

Option learning_rates_row() {
  Option option = row({"learning-rates", "LIST", "Learning rates of gradient descent"}, comparison,
                      Kind::words, "numbers above 0 with commas, as in 1,0.1,0.01");
  const auto read = [](const Value& value) {
    std::vector<double> rates;
    for (const std::string& word : std::get<std::vector<std::string>>(value)) {
      const std::optional<double> rate = parse_real(word);
      rates.push_back(rate.value_or(0.0));
    }
    return rates;
  };
  option.accepts = [read](const Value& value) {
    const std::vector<double> rates = read(value);
    return !rates.empty() && std::all_of(rates.begin(), rates.end(), [](double rate) {
      return in_range(rate, Least::above_zero);
    });
  };
  option.get = [](const Setting& s) -> std::optional<Value> {
    std::vector<std::string> words;
    for (const double rate : s.learning_rates) words.push_back(to_string(Value(rate)));
    return words;
  };
  option.set = [read](Setting& s, const Value& value) { s.learning_rates = read(value); };
  return option;
}

void add_training_rows(std::vector<Option>& table) {
  table.push_back(stages_row());
  table.push_back(choice_row<Integrator>(
      {"integrator", "NAME",
       "Integrator of the flow: Dormand-Prince 5(4), Fehlberg 7(8) or Rodas5P 5(4); auto is "
       "Dormand-Prince where the flow is not stiff, Rodas5P where it is; rosenbrock4 is an older "
       "name of rodas5p"},
      integration,
      {{"auto", Integrator::automatic},
       {"dopri5", Integrator::dopri5},
       {"fehlberg78", Integrator::fehlberg78},
       {"rodas5p", Integrator::rodas5p},
       {"rosenbrock4", Integrator::rodas5p}},
      [](auto& s) -> auto& { return s.flow.integrator; }));
  table.push_back(real_row(
      {"rtol", "X", "Relative tolerance of a step"}, integration, Least::above_zero,
      [](auto& s) -> auto& { return s.flow.rtol; }));
  table.push_back(real_row(
      {"atol", "X", "Absolute tolerance of a step"}, integration, Least::zero,
      [](auto& s) -> auto& { return s.flow.atol; }));
  table.push_back(choice_row<TrainingMethod>(
      {"method", "NAME", "Follow the gradient flow, or step by gradient descent in c, w and a"},
      descent, {{"flow", TrainingMethod::flow}, {"gd", TrainingMethod::gd}},
      [](auto& s) -> auto& { return s.method; }));
  table.push_back(real_row(
      {"learning-rate", "X", "Flow time that a step of gradient descent stands for"}, descent,
      Least::above_zero, [](auto& s) -> auto& { return s.learning_rate; }));
  table.push_back(learning_rates_row());
  table.push_back(choice_row<Optimizer>(
      {"optimizer", "NAME",
       "Plain gradient descent, with momentum 0.9, or Adam with its usual constants"},
      descent,
      {{"gd", Optimizer::gd}, {"momentum", Optimizer::momentum}, {"adam", Optimizer::adam}},
      [](auto& s) -> auto& { return s.optimizer; }));
  table.push_back(integer_row(
      {"batch", "B",
       "Chains of a minibatch of gradient descent, in a fresh order each epoch; 0 takes all in "
       "every step"},
      descent, 0, unlimited, [](auto& s) -> auto& { return s.batch; }));
  table.push_back(flag_row(
      {"resample", "",
       "Draw fresh chains for every step of gradient descent, --batch of them or as many as "
       "--chains"},
      descent, [](auto& s) -> auto& { return s.resample; }));
  table.push_back(integer_row(
      {"outputs", "K", "Recorded points a stage, evenly spaced in log time"}, integration, 2,
      10'000'000, [](auto& s) -> auto& { return s.flow.outputs; }));
  table.push_back(first_output_row());
  table.push_back(max_steps_row());
}

void add_computation_rows(std::vector<Option>& table) {
  table.push_back(choice_row<Engine>(
      {"engine", "NAME",
       "How loss and gradient are computed: for few windows, for many, or by the slow "
       "definition; auto takes the faster of the first two"},
      {"Computation", on_models},
      {{"auto", Engine::automatic},
       {"dense", Engine::dense},
       {"sparse", Engine::sparse},
       {"reference", Engine::reference}},
      [](auto& s) -> auto& { return s.engine; }));
  table.push_back(choice_row<Device>(
      {"device", "NAME",
       "Where: auto takes a CUDA card where there is one and this program was built for it"},
      {"Computation", Command::train | Command::evaluate | Command::compare},
      {{"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}},
      [](auto& s) -> auto& { return s.device; }));
  table.push_back(threads_row());
  table.push_back(seed_row([](auto& s) -> auto& { return s.sampling.seed; }));
}

void add_output_rows(std::vector<Option>& table) {
  const char* group = "Output";
  const unsigned writers = Command::sample | Command::train | Command::compare | Command::verify;
  Option output = path_row(
      {"output", "FILE", "File to write"}, {group, writers, false},
      [](auto& s) -> auto& { return s.output; });
  output.short_name = std::string("o");
  table.push_back(std::move(output));
  table.push_back(path_row(
      {"kernels-output", "FILE", "File for the kernels of the chains too", "none"},
      {group, static_cast<unsigned>(Command::sample), false},
      [](auto& s) -> auto& { return s.kernels_output; }));
  table.push_back(path_row(
      {"resume", "RUN",
       "Continue this run file in place from its checkpoint, with its settings; other options "
       "must agree with them, but for --threads, --device auto, limits and those of this group",
       "none"},
      {group, static_cast<unsigned>(Command::train), false},
      [](auto& s) -> auto& { return s.resume; }));
  table.push_back(flag_row(
      {"force", "",
       "Overwrite files that exist; with --resume, continue a run of another program version"},
      {group, writers, false}, [](auto& s) -> auto& { return s.force; }));
  table.push_back(real_row(
      {"checkpoint-every", "S", "Write the file at most so often, in seconds, beside stage ends"},
      {group, static_cast<unsigned>(Command::train), false}, Least::zero,
      [](auto& s) -> auto& { return s.checkpoint_every; }));
  table.push_back(max_wall_row());
  table.push_back(flag_row(
      {"dry-run", "", "Check everything, print the size of the problem, and stop"},
      {group, Command::sample | Command::train | Command::compare, false},
      [](auto& s) -> auto& { return s.dry_run; }));
  table.push_back(flag_row(
      {"json", "", "Print results as JSON"},
      {group, computing | Command::show | Command::diff | Command::audit, false},
      [](auto& s) -> auto& { return s.json; }));
  table.push_back(flag_row(
      {"quiet", "", "No messages and no progress, only results and errors"},
      {group, computing | Command::audit, false}, [](auto& s) -> auto& { return s.quiet; }));
}

std::vector<Option> make_table() {
  std::vector<Option> table;
  add_chain_rows(table);
  add_file_rows(table);
  add_model_rows(table);
  add_start_rows(table);
  add_training_rows(table);
  add_check_rows(table);
  add_audit_rows(table);
  add_computation_rows(table);
  add_output_rows(table);
  return table;
}

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> table = make_table();
  return table;
}

void apply_preset(Setting& setting, const std::string& preset) {
  const bool reference = preset == "reference";
  setting.model.boundary = reference ? Boundary::partial : Boundary::masked;
  setting.model.head_windows = reference ? HeadWindows::shifted : HeadWindows::shared;
  setting.model.head_normalization = reference ? HeadNormalization::l2 : HeadNormalization::none;
  setting.model.readout = reference ? Readout::softmax : Readout::log;
  setting.sampling.initial_law = reference ? InitialLaw::uniform : InitialLaw::stationary;
  setting.sampling.labels = reference ? Labels::sampled : Labels::conditional;
  setting.initial.w_other = reference ? 0.1 : 0.01;
}

std::span<const std::string> preset_options() {
  static const std::vector<std::string> names{"boundary", "head-windows", "head-normalization",
                                              "readout",  "initial-law",  "labels",
                                              "w-other"};
  return names;
}

}  // namespace gihflow
