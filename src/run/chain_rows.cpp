// Rows of the option table for chains, sequences and input files.

#include <fmt/format.h>

#include "gihflow/chain/prior.hpp"
#include "run/option_rows.hpp"

namespace gihflow {

Phrase no_sequences(const Setting& s) {
  return s.context == ContextLength::infinite ? Phrase(Field::context, " infinite has no sequences")
                                              : Phrase();
}

// A family of priors by its name.
Range prior_family() {
  return {Kind::text, "one of " + family_names() + ", as in mixture:64", [](const Value& value) {
            return family_named(std::get<std::string>(value)).has_value();
          }};
}

namespace {

Phrase kernels_are_given(const Setting& s) {
  if (!s.data.empty()) return "the chains are those of " + s.data;
  if (!s.text.empty()) return "the chains are those of " + s.text;
  return s.kernels.empty() ? Phrase() : "the kernels are those of " + s.kernels;
}

Phrase no_text(const Setting& s) {
  return s.text.empty() ? "there is no text" : Phrase();
}

Phrase no_passages(const Setting& s) {
  if (s.text_as == TextUse::passages) return "the passages are sequences";
  return no_text(s);
}

// Why an option about kernels has no effect.
Phrase no_chains(const Setting& s) {
  if (s.sampling.task == Task::recall) return "sequences of the recall task have no kernel";
  return kernels_are_given(s);
}

Phrase no_concentration(const Setting& s) {
  const bool smoothed = !s.text.empty() && s.text_as == TextUse::kernels;
  return smoothed ? Phrase() : no_chains(s);
}

Phrase no_parents(const Setting& s) {
  return s.sampling.task == Task::recall ? no_chains(s) : Phrase();
}

Phrase labels_are_certain(const Setting& s) {
  if (s.sampling.task == Task::recall) return "labels of the recall task are certain";
  return no_sequences(s);
}

Phrase first_tokens_are_given(const Setting& s) {
  if (s.sampling.task == Task::recall) return no_chains(s);
  return s.data.empty() ? no_sequences(s) : kernels_are_given(s);
}

constexpr Place chains{"Chains"};
constexpr Place prior{"Chains", Role::problem, no_chains};
constexpr Place sequences{"Chains", Role::problem, no_sequences};
constexpr Place files{"Input files"};

Option prior_row() {
  Option option = described<ChainSetting>(
      {Field::prior, "NAME", "Prior over transition kernels: " + family_names()}, prior,
      prior_family());
  option.get = [](const Setting& s) -> std::optional<Value> {
    return to_string(s.sampling.prior.family);
  };
  option.set = [](Setting& s, const Value& value) {
    s.sampling.prior.family = *family_named(std::get<std::string>(value));
  };
  return option;
}

// "burn-in:500" → 500; nullopt for other text.
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

// A row of `sample`, the only command with KernelOutputSetting.
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

}  // namespace

std::vector<Option> chain_rows() {
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
  };
}

}  // namespace gihflow
