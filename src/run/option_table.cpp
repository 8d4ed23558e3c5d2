// The option table: what each option is called, what it means, what it may be.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "gihflow/chain/prior.hpp"
#include "run/option_rows.hpp"

namespace gihflow {

namespace {

// --- Why options have no effect ------------------------------------------------------------------

std::string kernels_are_given(const Setting& s) {
  if (!s.data.empty()) return "the chains are those of " + s.data;
  if (!s.text.empty()) return "the chains are those of " + s.text;
  return s.kernels.empty() ? "" : "the kernels are those of " + s.kernels;
}

std::string no_text(const Setting& s) {
  return s.text.empty() ? "there is no text" : "";
}

std::string no_passages(const Setting& s) {
  if (s.text_as == TextUse::passages) return "the passages are sequences";
  return no_text(s);
}

// Of a task without chains.
std::string no_chains(const Setting& s) {
  if (s.sampling.task == Task::recall) return "sequences of the recall task have no kernel";
  return kernels_are_given(s);
}

std::string no_concentration(const Setting& s) {
  const bool smoothed = !s.text.empty() && s.text_as == TextUse::kernels;
  return smoothed ? "" : no_chains(s);
}

std::string no_parents(const Setting& s) {
  return s.sampling.task == Task::recall ? no_chains(s) : "";
}

std::string no_sequences(const Setting& s) {
  return s.context == ContextLength::infinite ? "context infinite has no sequences" : "";
}

std::string labels_are_certain(const Setting& s) {
  if (s.sampling.task == Task::recall) return "labels of the recall task are certain";
  return no_sequences(s);
}

std::string first_tokens_are_given(const Setting& s) {
  if (s.sampling.task == Task::recall) return no_chains(s);
  return s.data.empty() ? no_sequences(s) : kernels_are_given(s);
}

std::string parameters_are_given(const Setting& s) {
  return s.parameters.empty() ? "" : "the parameters are those of " + s.parameters;
}

std::string no_smoothing(const Setting& s) {
  return s.model.readout == Readout::softmax ? "readout softmax has no smoothing" : "";
}

std::string lags_are_given(const Setting& s) {
  return s.model.head_lags.empty() ? "" : "the lags are given";
}

std::string no_token_scores(const Setting& s) {
  if (!s.parameters.empty()) return parameters_are_given(s);
  return s.model.scores == Scores::tokens ? "" : "scores positions has no query and key matrices";
}

std::string no_value_matrices(const Setting& s) {
  if (!s.parameters.empty()) return parameters_are_given(s);
  return s.model.values == HeadValues::matrix ? "" : "values identity has no value matrices";
}

std::string no_rectifier(const Setting& s) {
  return s.model.rectify ? "" : "nothing is rectified";
}

std::string only_descent(const Setting& s) {
  return s.method == TrainingMethod::flow ? "the method is the flow" : "";
}

std::string only_flow(const Setting& s) {
  return s.method == TrainingMethod::gd ? "the method is gradient descent" : "";
}

// --- Rows ----------------------------------------------------------------------------------------

constexpr Place chains{"Chains"};
constexpr Place prior{"Chains", Role::problem, no_chains};
constexpr Place sequences{"Chains", Role::problem, no_sequences};
constexpr Place files{"Input files"};
constexpr Place model{"Model"};
constexpr Place by_rule{"Model", Role::problem, lags_are_given};
constexpr Place start{"Initial point", Role::problem, parameters_are_given};
constexpr Place training{"Training"};
constexpr Place flow{"Training", Role::problem, only_flow};
constexpr Place descent{"Training", Role::problem, only_descent};
constexpr Place checking{"Check", Role::handling};
constexpr Place auditing{"Audit", Role::handling};
constexpr Place computation{"Computation", Role::computation};
constexpr Place output{"Output", Role::handling};

// A family of priors, or none.
Range family() {
  return {Kind::text, "one of " + family_names() + ", as in mixture:64", [](const Value& value) {
            return family_named(std::get<std::string>(value)).has_value();
          }};
}

Option prior_row() {
  Option option = described<ChainSetting>(
      {Field::prior, "NAME", "Prior over transition kernels: " + family_names()}, prior, family());
  option.get = [](const Setting& s) -> std::optional<Value> {
    return to_string(s.sampling.prior.family);
  };
  option.set = [](Setting& s, const Value& value) {
    s.sampling.prior.family = *family_named(std::get<std::string>(value));
  };
  return option;
}

Option check_prior_row() {
  Option option = described<FreshSetting>(
      {Field::prior, "NAME",
       "Prior of the fresh sequences, as of a run; a mixture has the kernels of the run's seed",
       "the run's"},
      checking, family());
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (!s.check_prior) return std::nullopt;
    return to_string(*s.check_prior);
  };
  option.set = [](Setting& s, const Value& value) {
    s.check_prior = family_named(std::get<std::string>(value));
  };
  return option;
}

// "burn-in:500" → 500; none for other words.
std::optional<Index> burn_in_of(const std::string& text) {
  constexpr std::string_view name = "burn-in:";
  if (!text.starts_with(name)) return std::nullopt;
  const auto tokens = parse_number<Index>(std::string_view(text).substr(name.size()));
  return tokens && *tokens >= 1 && *tokens <= max_length ? tokens : std::nullopt;
}

Option initial_law_row() {
  Option option = described<SequenceSetting>(
      {Field::initial_law, "LAW",
       "Law of the first tokens: stationary, uniform, or burn-in:B, which drops the first B tokens "
       "after a uniform start and so needs no stationary law"},
      {"Chains", Role::problem, first_tokens_are_given},
      {Kind::text, "stationary, uniform or burn-in:B, B tokens from 1 to 2^32",
       [](const Value& value) {
         const std::string& text = std::get<std::string>(value);
         return text == "stationary" || text == "uniform" || burn_in_of(text);
       }});
  option.get = [](const Setting& s) -> std::optional<Value> {
    switch (s.sampling.initial_law) {
      case InitialLaw::stationary:
        return "stationary";
      case InitialLaw::uniform:
        return "uniform";
      case InitialLaw::burn_in:
        return fmt::format("burn-in:{}", s.sampling.burn_in);
    }
    return std::nullopt;
  };
  option.set = [](Setting& s, const Value& value) {
    const std::string& text = std::get<std::string>(value);
    const std::optional<Index> dropped = burn_in_of(text);
    s.sampling.burn_in = dropped.value_or(0);
    s.sampling.initial_law = dropped                ? InitialLaw::burn_in
                             : text == "stationary" ? InitialLaw::stationary
                                                    : InitialLaw::uniform;
  };
  return option;
}

bool are_lags(const std::vector<Index>& lags) {
  return !lags.empty() && lags.front() >= 1 && lags.back() <= max_length &&
         std::adjacent_find(lags.begin(), lags.end(), std::greater_equal<>()) == lags.end();
}

/// Empty where the text is none of lists of numbers.
std::vector<std::vector<Index>> parse_head_lags(const std::string& text) {
  std::vector<std::vector<Index>> lists(1);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(",;", begin), text.size());
    const std::optional<Index> lag = parse_number<Index>(text.substr(begin, end - begin));
    if (!lag) return {};
    lists.back().push_back(*lag);
    if (end < text.size() && text[end] == ';') lists.emplace_back();
    begin = end + 1;
  }
  return lists;
}

Option preset_row() {
  Phrase help(
      "Conventions of the paper, of its authors' published experiments or of their full model: "
      "sets ");
  for (const Convention& row : conventions()) {
    if (&row == &conventions().back()) {
      help += " and ";
    } else if (&row != &conventions().front()) {
      help += ", ";
    }
    help += row.field;
  }
  help += ", each of which wins over it when given";
  Option option = described<SequenceSetting>({Field::preset, "NAME", help, "paper"}, model,
                                             one_of({"paper", "reference", "full"}));
  option.get = [](const Setting&) -> std::optional<Value> { return std::nullopt; };
  option.set = [](Setting& s, const Value& value) {
    apply_preset(s, std::get<std::string>(value));
  };
  return option;
}

// Lists of lags, one for all heads or one each. The window is then the length of the longest.
void set_lags(Model& of, std::vector<std::vector<Index>> lists) {
  of.head_lags = std::move(lists);
  std::size_t longest = 0;
  for (const std::vector<Index>& list : of.head_lags) longest = std::max(longest, list.size());
  of.window = static_cast<Index>(longest);
}

Option window_row() {
  Option option = row<LagSetting>(
      {Field::window, "M", "Lags that a head of the first attention sees"}, by_rule,
      integers(1, 65535), [](auto& s) -> auto& { return s.model.window; });
  option.set = [](Setting& s, const Value& value) {
    if (s.model.head_lags.empty()) s.model.window = std::get<std::int64_t>(value);
  };
  return option;
}

Option lags_row() {
  Option option = described<LagSetting>(
      {Field::lags, "LIST", "Lags that every head sees, instead of a window", "the window's"},
      model,
      {Kind::integers, "increasing lags of at least 1, as in 1,2,16",
       [](const Value& value) { return are_lags(std::get<std::vector<std::int64_t>>(value)); }});
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.model.head_lags.size() != 1) return std::nullopt;
    return value_of(s.model.head_lags.front());
  };
  option.set = [](Setting& s, const Value& value) {
    const auto& list = std::get<std::vector<std::int64_t>>(value);
    set_lags(s.model, {{list.begin(), list.end()}});
  };
  return option;
}

Option head_lags_row() {
  Option option = described<ModelSetting>(
      {Field::head_lags, "LISTS", "Lags of each head, lists with semicolons, as in \"1,2;5;1,9\"",
       "the window's"},
      model,
      {Kind::text, "increasing lags of at least 1 for each head, as in \"1,2;5;1,9\"",
       [](const Value& value) {
         const auto lists = parse_head_lags(std::get<std::string>(value));
         return std::all_of(lists.begin(), lists.end(), are_lags) && !lists.empty();
       }});
  option.get = [](const Setting& s) -> std::optional<Value> {
    if (s.model.head_lags.size() < 2) return std::nullopt;
    std::vector<std::string> lists;
    for (const std::vector<Index>& list : s.model.head_lags)
      lists.push_back(fmt::format("{}", fmt::join(list, ",")));
    return fmt::format("{}", fmt::join(lists, ";"));
  };
  option.set = [](Setting& s, const Value& value) {
    auto lists = parse_head_lags(std::get<std::string>(value));
    // One head: a list of its own, written as `lags`.
    set_lags(s.model, std::move(lists));
  };
  return option;
}

Option rectify_width_row() {
  Option option = row<ModelSetting>(
      {Field::rectify_width, "X",
       "Width over which the rectifier is smoothed; the flow needs one above 0",
       "0.1 for the flow, else 0"},
      {"Model", Role::problem, no_rectifier}, not_negative(),
      [](auto& s) -> auto& { return s.rectify_width; });
  option.set = [](Setting& s, const Value& value) {
    s.model.rectify_width = std::get<double>(value);
    s.rectify_width = s.model.rectify_width;
  };
  return option;
}

// Of `sample`, whose setting alone has an output for kernels.
Option purpose_row() {
  Option option = row<ChainSetting>(
      {Field::purpose, "KIND",
       Phrase(
           "Which chains of the ", Field::seed,
           ": some of their own, or exactly those that train draws, the training chains or the validation chains")},
      chains,
      {{"sample", Purpose::sample}, {"train", Purpose::train}, {"validation", Purpose::validation}},
      [](auto& s) -> auto& { return s.sampling.purpose; });
  option.groups |= groups_of<KernelOutputSetting>;
  return option;
}

Option output_row() {
  Option option = row<OutputSetting>(
      {Field::output, "FILE", "File to write", "none"}, output, path(),
      [](auto& s) -> auto& { return s.output; });
  option.short_name = "o";
  return option;
}

std::vector<Option> make_table() {
  return {
      row<SequenceSetting>(
          {Field::task, "NAME",
           "Tokens of Markov chains, or recall: uniform tokens but for a trigger, the last token of "
           "the vocabulary, that comes twice; the label is what followed it first"},
          chains, {{"chain", Task::chain}, {"recall", Task::recall}},
          [](auto& s) -> auto& { return s.sampling.task; }),
      row<ChainSetting>(
          {Field::vocabulary, "d", "Number of tokens"}, chains, integers(2, max_vocabulary),
          [](auto& s) -> auto& { return s.sampling.prior.vocabulary; }),
      row<ChainSetting>(
          {Field::parents, "LAGS", "Parent lags: x_l depends on the tokens so far back"},
          {"Chains", Role::problem, no_parents},
          {Kind::integers, "increasing lags of at least 1, as in 1,2",
           [](const Value& value) {
             return are_parents(std::get<std::vector<std::int64_t>>(value));
           }},
          [](auto& s) -> auto& { return s.sampling.prior.parents; }),
      prior_row(),
      row<ChainSetting>(
          {Field::alpha, "X", "Concentration of the prior; what smooths kernels of a text"},
          {"Chains", Role::problem, no_concentration}, above_zero(),
          [](auto& s) -> auto& { return s.sampling.prior.alpha; }),
      row<ChainSetting>(
          {Field::floor, "X",
           "Least transition probability, below 1/d: mixes each row with the uniform law"},
          prior, not_negative(), [](auto& s) -> auto& { return s.sampling.prior.floor; }),
      initial_law_row(),
      row<SequenceSetting>(
          {Field::query, "LAW",
           "Whether the label follows the chain's own last tokens, or uniform ones in their place, so "
           "that every context is asked for equally often"},
          {"Chains", Role::problem, first_tokens_are_given},
          {{"chain", QueryLaw::chain}, {"uniform", QueryLaw::uniform}},
          [](auto& s) -> auto& { return s.sampling.query; }),
      row<SequenceSetting>(
          {Field::labels, "KIND",
           "What the loss is taken against: the transition law at the label, the label drawn from "
           "it, or its posterior given the sequence"},
          {"Chains", Role::problem, labels_are_certain},
          {{"conditional", Labels::conditional},
           {"sampled", Labels::sampled},
           {"posterior", Labels::posterior}},
          [](auto& s) -> auto& { return s.sampling.labels; }),
      row<SequenceSetting>(
          {Field::length, "L", "Context length; the label follows it"}, sequences,
          integers(1, max_length), [](auto& s) -> auto& { return s.sampling.length; }),
      row<ChainSetting>(
          {Field::chains, "N", "Number of chains, one sequence each"}, chains, integers(1),
          [](auto& s) -> auto& { return s.sampling.count; }),
      purpose_row(),
      row<ValidationSetting>(
          {Field::validation_chains, "N", "Further chains, for the validation loss"}, chains,
          integers(0), [](auto& s) -> auto& { return s.validation_chains; }),

      row<DataSetting>(
          {Field::data, "FILE", "Sequences to use instead of drawing chains", "none"}, files,
          path(), [](auto& s) -> auto& { return s.data; }),
      row<ValidationDataSetting>(
          {Field::validation_data, "FILE", "Sequences for the validation loss", "none"}, files,
          path(), [](auto& s) -> auto& { return s.validation_data; }),
      row<KernelSetting>(
          {Field::kernels, "FILE",
           "Transition kernels to draw sequences from, instead of the prior", "none"},
          files, path(), [](auto& s) -> auto& { return s.kernels; }),
      row<KernelSetting>(
          {Field::text, "FILE",
           "Text in UTF-8 to make kernels or sequences of: its most frequent characters are tokens, "
           "all others the last one",
           "none"},
          files, path(), [](auto& s) -> auto& { return s.text; }),
      row<SequenceSetting>(
          {Field::text_as, "KIND",
           Phrase("Draw sequences from kernels that count the text, smoothed by ", Field::alpha,
                  ", or take its passages of as many characters as ", Field::length,
                  " and the label")},
          {"Input files", Role::problem, no_text},
          {{"kernels", TextUse::kernels}, {"passages", TextUse::passages}},
          [](auto& s) -> auto& { return s.text_as; }),
      row<ChainSetting>(
          {Field::passage, "K", "Characters of the text for each kernel; 0 makes one of all"},
          {"Input files", Role::problem, no_passages}, integers(0),
          [](auto& s) -> auto& { return s.passage; }),
      row<ModelSetting>(
          {Field::parameters, "FILE",
           "Parameters to start from or evaluate at; a run file gives its final ones",
           "the initial point"},
          files, path(), [](auto& s) -> auto& { return s.parameters; }),

      preset_row(),
      row<ModelSetting>(
          {Field::context, "KIND",
           Phrase("Sequences of ", Field::length,
                  " tokens, or the limit of long ones, exact for each chain")},
          model, {{"finite", ContextLength::finite}, {"infinite", ContextLength::infinite}},
          [](auto& s) -> auto& { return s.context; }),
      window_row(),
      lags_row(),
      head_lags_row(),
      row<ModelSetting>(
          {Field::heads, "H", "Heads of the first attention"}, model, integers(1, 30),
          [](auto& s) -> auto& { return s.model.heads; }),
      row<LagSetting>(
          {Field::degree, "D", "Most heads in a subset S of the feature map; most lags in a set"},
          model, integers(0, 30), [](auto& s) -> auto& { return s.model.degree; }),
      row<ModelSetting>(
          {Field::boundary, "KIND",
           "Leave out the positions whose window is incomplete, or let them take part with the "
           "lags that exist"},
          {"Model", Role::problem, no_sequences},
          {{"masked", Boundary::masked}, {"partial", Boundary::partial}},
          [](auto& s) -> auto& { return s.model.boundary; }),
      row<ModelSetting>(
          {Field::head_windows, "KIND", "Head h sees lags 1 to M, or lags h to h+M-1"}, by_rule,
          {{"shared", HeadWindows::shared}, {"shifted", HeadWindows::shifted}},
          [](auto& s) -> auto& { return s.model.head_windows; }),
      row<ModelSetting>(
          {Field::head_normalization, "KIND", "Norm that the heads' outputs are divided by"}, model,
          {{"none", HeadNormalization::none},
           {"l2", HeadNormalization::l2},
           {"layer", HeadNormalization::layer}},
          [](auto& s) -> auto& { return s.model.head_normalization; }),
      row<ModelSetting>(
          {Field::scores, "KIND",
           "Let the first attention depend on positions alone, or also on the tokens there by query and key matrices"},
          model, {{"positions", Scores::positions}, {"tokens", Scores::tokens}},
          [](auto& s) -> auto& { return s.model.scores; }),
      row<ModelSetting>(
          {Field::own_position, "", "Let every head see the position itself too"}, model, flag(),
          [](auto& s) -> auto& { return s.model.own_position; }),
      row<ModelSetting>(
          {Field::values, "KIND",
           "Heads add up the tokens that they see, or these times a trained matrix"},
          model, {{"identity", HeadValues::identity}, {"matrix", HeadValues::matrix}},
          [](auto& s) -> auto& { return s.model.values; }),
      row<ModelSetting>(
          {Field::rectify, "", "Cut off negative inner products of the heads' outputs"}, model,
          flag(), [](auto& s) -> auto& { return s.model.rectify; }),
      rectify_width_row(),
      row<ModelSetting>(
          {Field::readout, "KIND", "Take the output as probabilities, or as logits"}, model,
          {{"log", Readout::log}, {"softmax", Readout::softmax}},
          [](auto& s) -> auto& { return s.model.readout; }),
      row<ModelSetting>(
          {Field::epsilon, "X", "Smoothing of the probabilities in the loss"},
          {"Model", Role::problem, no_smoothing}, not_negative(),
          [](auto& s) -> auto& { return s.model.epsilon; }),

      row<ModelSetting>(
          {Field::w_own, "X", "Logit of head h on its own lag h"}, start, any_real(),
          [](auto& s) -> auto& { return s.initial.w_own; }),
      row<ModelSetting>(
          {Field::w_other, "X", "Logit on every other lag"}, start, any_real(),
          [](auto& s) -> auto& { return s.initial.w_other; }),
      row<ModelSetting>(
          {Field::c_init, "X", "Coefficient of every subset"}, start, not_zero(),
          [](auto& s) -> auto& { return s.initial.c; }),
      row<ModelSetting>(
          {Field::a_init, "X", "Scale of the second attention"}, start, any_real(),
          [](auto& s) -> auto& { return s.initial.a; }),
      row<ModelSetting>(
          {Field::qk_init, "X", "Query and key matrices: this times the unit matrix"},
          {"Initial point", Role::problem, no_token_scores}, any_real(),
          [](auto& s) -> auto& { return s.initial.query_key; }),
      row<ModelSetting>(
          {Field::value_init, "X", "Value matrices: this times the unit matrix"},
          {"Initial point", Role::problem, no_value_matrices}, any_real(),
          [](auto& s) -> auto& { return s.initial.value; }),

      row<StageSetting>(
          {Field::stages, "LIST",
           "Stages of training, BLOCKS:TIME each: the blocks that move, letters of c, w, a and, where the model has them, q, k, v, n, with heads alone as in w[1,3], and for how much flow time"},
          training, {Kind::words, "stages BLOCKS:TIME, as in c:2000,w:50000,a:5000"},
          [](auto& s) -> auto& { return s.stages; }),
      row<FlowSetting>(
          {Field::integrator, "NAME",
           "Integrator of the flow: Dormand-Prince 5(4), Fehlberg 7(8) or Rodas5P 5(4); auto is Dormand-Prince where the flow is not stiff, Rodas5P where it is; rosenbrock4 is an older name of rodas5p"},
          flow,
          {{"auto", Integrator::automatic},
           {"dopri5", Integrator::dopri5},
           {"fehlberg78", Integrator::fehlberg78},
           {"rodas5p", Integrator::rodas5p},
           {"rosenbrock4", Integrator::rodas5p}},
          [](auto& s) -> auto& { return s.flow.integrator; }),
      row<FlowSetting>(
          {Field::rtol, "X", "Relative tolerance of a step"}, flow, above_zero(),
          [](auto& s) -> auto& { return s.flow.rtol; }),
      row<FlowSetting>(
          {Field::atol, "X", "Absolute tolerance of a step"}, flow, not_negative(),
          [](auto& s) -> auto& { return s.flow.atol; }),
      row<DescentSetting>(
          {Field::method, "NAME",
           "Follow the gradient flow, or step by gradient descent in the coordinates of the blocks"},
          training, {{"flow", TrainingMethod::flow}, {"gd", TrainingMethod::gd}},
          [](auto& s) -> auto& { return s.method; }),
      row<DescentSetting>(
          {Field::learning_rate, "X",
           "Flow time that a step of gradient descent stands for; one number, or one for each stage"},
          descent,
          list(Kind::reals, "a finite number above 0, or one for each stage, as in 1,1e5,1",
               [](double rate) { return std::isfinite(rate) && rate > 0.0; }),
          [](auto& s) -> auto& { return s.learning_rate; }),
      row<DescentSetting>(
          {Field::rate_schedule, "NAME",
           "Keep the learning rate of a stage, or let it fall to 0 along a cosine; flow time goes on "
           "counting steps"},
          descent, {{"constant", RateSchedule::constant}, {"cosine", RateSchedule::cosine}},
          [](auto& s) -> auto& { return s.rate_schedule; }),
      row<DescentSetting>(
          {Field::warm_up, "K",
           "Steps at the start of each stage in which the learning rate rises linearly"},
          descent, integers(0), [](auto& s) -> auto& { return s.warm_up; }),
      row<RateSetting>(
          {Field::learning_rates, "LIST", "Learning rates of gradient descent"}, training,
          list(Kind::reals, "numbers above 0 with commas, as in 1,0.1,0.01",
               [](double rate) { return std::isfinite(rate) && rate > 0.0; }),
          [](auto& s) -> auto& { return s.learning_rates; }),
      row<DescentSetting>(
          {Field::optimizer, "NAME",
           "Plain gradient descent, with momentum 0.9, or Adam with its usual constants"},
          descent,
          {{"gd", Optimizer::gd}, {"momentum", Optimizer::momentum}, {"adam", Optimizer::adam}},
          [](auto& s) -> auto& { return s.optimizer; }),
      row<DescentSetting>(
          {Field::batch, "B",
           "Chains of a minibatch of gradient descent, in a fresh order each epoch; 0 takes all "
           "in every step"},
          descent, integers(0), [](auto& s) -> auto& { return s.batch; }),
      row<DescentSetting>(
          {Field::resample, "",
           Phrase("Draw fresh chains for every step of gradient descent, ", Field::batch,
                  " of them or as many as ", Field::chains)},
          descent, flag(), [](auto& s) -> auto& { return s.resample; }),
      row<FlowSetting>(
          {Field::outputs, "K", "Recorded points a stage, evenly spaced in log time"}, training,
          integers(2, 10'000'000), [](auto& s) -> auto& { return s.flow.outputs; }),
      row<FlowSetting>(
          {Field::first_output, "T", "First output time after 0, in flow time",
           "1 or a thousandth of the stage, whichever is less"},
          training, above_zero(), [](auto& s) -> auto& { return s.flow.first_output; }),
      row<FlowSetting>(
          {Field::max_steps, "K", "Stop after so many steps, accepted and rejected", "no limit"},
          training, integers(1), [](auto& s) -> auto& { return s.flow.max_steps; }),

      row<FreshSetting>(
          {Field::lengths, "LIST", "Context lengths of the fresh sequences", "the run's"}, checking,
          list(Kind::integers, "lengths of at least 1, as in 64,1024",
               [](double length) { return length >= 1 && length <= max_length; }),
          [](auto& s) -> auto& { return s.check_lengths; }),
      row<FreshSetting>(
          {Field::alphas, "LIST", "Concentrations of the priors of the fresh sequences",
           "the run's"},
          checking,
          list(Kind::reals, "finite numbers above 0, as in 0.1,1",
               [](double alpha) { return std::isfinite(alpha) && alpha > 0.0; }),
          [](auto& s) -> auto& { return s.check_alphas; }),
      check_prior_row(),
      row<FreshSetting>(
          {Field::fresh_chains, "N", "Fresh sequences for each length and prior"}, checking,
          integers(1), [](auto& s) -> auto& { return s.fresh_chains; }),
      row<FreshSetting>(
          {Field::tolerance, "X", "Mean total variation up to which a model is the limit"},
          checking, above_zero(), [](auto& s) -> auto& { return s.tolerance; }),

      row<StretchSetting>(
          {Field::stage, "K", "Stage whose stretches are looked at", "any"}, auditing,
          {Kind::integer, "an integer of at least 1", integers(1).accepts},
          [](auto& s) -> auto& { return s.audit_stage; }),
      row<StretchSetting>(
          {Field::from, "T",
           Phrase("Flow time in the stretch that is computed again, with ", Field::stage),
           "one stretch at random"},
          auditing, not_negative(), [](auto& s) -> auto& { return s.audit_from; }),
      row<StretchSetting>(
          {Field::all, "", Phrase("Compute all stretches again, of the run or of ", Field::stage)},
          auditing, flag(), [](auto& s) -> auto& { return s.audit_all; }),

      row<ModelSetting>(
          {Field::engine, "NAME",
           "How loss and gradient are computed: for few windows, for many, or by the slow "
           "definition; auto takes the faster of the first two"},
          {"Computation", Role::computation, no_sequences},
          {{"auto", Engine::automatic},
           {"dense", Engine::dense},
           {"sparse", Engine::sparse},
           {"reference", Engine::reference}},
          [](auto& s) -> auto& { return s.engine; }),
      row<DeviceSetting>(
          {Field::device, "NAME",
           "Where: auto takes a CUDA card where there is one and this program was built for it"},
          computation, {{"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}},
          [](auto& s) -> auto& { return s.device; }),
      row<ThreadSetting>(
          {Field::threads, "K", "Threads; results do not depend on them",
           "every core that the process may use"},
          {"Computation", Role::handling}, integers(1, 1024),
          [](auto& s) -> auto& { return s.threads; }),
      row<ChainSetting>(
          {Field::seed, "K",
           "Seed of all random draws; a chain depends on the seed, what it is drawn for and its own number alone"},
          computation, integers(0), [](auto& s) -> auto& { return s.sampling.seed; }),
      row<FreshSetting>(
          {Field::seed, "K", "Seed of the fresh sequences", "the run's"},
          {"Computation", Role::handling}, integers(0),
          [](auto& s) -> auto& { return s.check_seed; }),

      output_row(),
      row<KernelOutputSetting>(
          {Field::kernels_output, "FILE", "File for the kernels of the chains too", "none"}, output,
          path(), [](auto& s) -> auto& { return s.kernels_output; }),
      row<RunSetting>(
          {Field::resume, "RUN",
           Phrase(
               "Continue this run file in place from its checkpoint, with its settings; other options must agree with them, but for ",
               Field::threads, ", ", Field::device, " auto, limits and those of this group"),
           "none"},
          output, path(), [](auto& s) -> auto& { return s.resume; }),
      row<OutputSetting>(
          {Field::force, "",
           Phrase("Overwrite files that exist; with ", Field::resume,
                  ", continue a run of another program version")},
          output, flag(), [](auto& s) -> auto& { return s.force; }),
      row<RunSetting>(
          {Field::checkpoint_every, "S",
           "Write the file at most so often, in seconds, beside stage ends"},
          output, not_negative(), [](auto& s) -> auto& { return s.checkpoint_every; }),
      row<RunSetting>(
          {Field::max_wall, "S", "Stop with a checkpoint within so many seconds", "no limit"},
          output, above_zero(), [](auto& s) -> auto& { return s.max_wall; }),
      row<DryRunSetting>(
          {Field::dry_run, "", "Check everything, print the size of the problem, and stop"}, output,
          flag(), [](auto& s) -> auto& { return s.dry_run; }),
      row<JsonSetting>(
          {Field::json, "", "Print results as JSON"}, output, flag(),
          [](auto& s) -> auto& { return s.json; }),
      row<QuietSetting>(
          {Field::quiet, "", "No messages and no progress, only results and errors"}, output,
          flag(), [](auto& s) -> auto& { return s.quiet; }),
  };
}

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> table = [] {
    std::vector<Option> rows = make_table();
    const std::vector<Option> members = member_rows();
    const auto outputs = std::find_if(rows.begin(), rows.end(), [](const Option& option) {
      return std::string_view(option.heading) == output.heading;
    });
    rows.insert(outputs, members.begin(), members.end());
    return rows;
  }();
  return table;
}

std::span<const Convention> conventions() {
  static const Convention table[] = {
      {Field::boundary, "masked", "partial", "partial"},
      {Field::head_windows, "shared", "shifted", "shifted"},
      {Field::head_normalization, "none", "l2", "layer"},
      {Field::scores, "positions", "positions", "tokens"},
      {Field::own_position, false, false, true},
      {Field::values, "identity", "identity", "matrix"},
      {Field::rectify, false, false, true},
      {Field::readout, "log", "softmax", "softmax"},
      {Field::initial_law, "stationary", "uniform", "uniform"},
      {Field::labels, "conditional", "sampled", "sampled"},
      {Field::w_own, 3.0, 3.0, 1.0},
      {Field::w_other, 0.01, 0.1, 0.01},
  };
  return table;
}

void apply_preset(Setting& setting, const std::string& preset) {
  for (const Convention& row : conventions()) {
    const Value& value = preset == "full"        ? row.full
                         : preset == "reference" ? row.reference
                                                 : row.paper;
    find_option(row.field)->set(setting, value);
  }
}

}  // namespace gihflow
