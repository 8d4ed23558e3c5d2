// Rows of the option table for the model and its initial point.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/kernel.hpp"
#include "run/option_rows.hpp"

namespace gihflow {

namespace {

Phrase parameters_are_given(const Setting& s) {
  return s.parameters.empty() ? Phrase() : "the parameters are those of " + s.parameters;
}

Phrase no_smoothing(const Setting& s) {
  return s.model.readout == Readout::softmax ? Phrase(Field::readout, " softmax has no smoothing")
                                             : Phrase();
}

Phrase lags_are_given(const Setting& s) {
  return s.model.head_lags.empty() ? Phrase() : "the lags are given";
}

Phrase no_token_scores(const Setting& s) {
  if (!s.parameters.empty()) return parameters_are_given(s);
  return s.model.scores == Scores::tokens
             ? Phrase()
             : Phrase(Field::scores, " positions has no query and key matrices");
}

Phrase no_value_matrices(const Setting& s) {
  if (!s.parameters.empty()) return parameters_are_given(s);
  return s.model.values == HeadValues::matrix
             ? Phrase()
             : Phrase(Field::values, " identity has no value matrices");
}

Phrase no_rectifier(const Setting& s) {
  return s.model.rectify ? Phrase() : "nothing is rectified";
}

constexpr Place model{"Model"};
constexpr Place by_rule{"Model", Role::problem, lags_are_given};
constexpr Place start{"Initial point", Role::problem, parameters_are_given};

bool are_lags(const std::vector<Index>& lags) {
  return !lags.empty() && are_parents(lags) && lags.back() <= max_length;
}

/// Parses lists of lags separated by ";"; empty for malformed text.
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

// Sets lists of lags, one for all heads or one per head. The window M is then the length of the
// longest.
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
    // A single list, of a model with one head, is the same as the option `lags`.
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

}  // namespace

std::vector<Option> model_rows() {
  return {
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
          {Field::heads, "H", "Heads of the first attention"}, model, integers(1, most_elements),
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
           {"layer", HeadNormalization::layer},
           {"rms", HeadNormalization::rms}},
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
          {Field::positions, "KIND",
           "Take the loss at the label alone, or at all tokens, each predicted from those before it"},
          {"Model", Role::problem, no_sequences},
          {{"last", Positions::last}, {"all", Positions::all}},
          [](auto& s) -> auto& { return s.model.positions; }),
      row<ModelSetting>(
          {Field::epsilon, "X", "Smoothing of the probabilities in the loss"},
          {"Model", Role::problem, no_smoothing}, smoothing(),
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
          {"Initial point", Role::problem, no_token_scores}, entry_of_a_matrix(),
          [](auto& s) -> auto& { return s.initial.query_key; }),
      row<ModelSetting>(
          {Field::value_init, "X", "Value matrices: this times the unit matrix"},
          {"Initial point", Role::problem, no_value_matrices}, entry_of_a_matrix(),
          [](auto& s) -> auto& { return s.initial.value; }),
  };
}

}  // namespace gihflow
