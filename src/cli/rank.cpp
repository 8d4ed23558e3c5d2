#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/predictions.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/run/rank.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

constexpr double agreement = 1e-9;  // relative, of measures that are equal by (6.4)
constexpr std::size_t most_named = 12;

using Selection = std::optional<SelectionAtStart>;

// What to try if training selects another set than S*; empty if it selects S*.
std::string advice(const Ranking& ranking, const Selection& selection) {
  if (!selection || selection->selected == ranking.by_modified.front()) return "";
  return selection_advice(set_of_lags(ranking.information_set().members),
                          set_of_lags(ranking.sets[selection->selected].members),
                          selection->critical_logit);
}

std::string as_json(const Ranking& ranking, const Selection& selection) {
  const std::vector<std::size_t> place = ranking.places(&RankedSet::modified),
                                 by_standard = ranking.places(&RankedSet::chi_square);
  const auto json_set = [&](const RankedSet& set) {
    const auto s = static_cast<std::size_t>(&set - ranking.sets.data());
    return Json{{"parents", set.members},
                {"chi_square", set.chi_square},
                {"chi_square_standard_error", set.chi_square_error},
                {"modified", set.modified},
                {"modified_standard_error", set.modified_error},
                {"place", place[s]},
                {"place_by_chi_square", by_standard[s]},
                {"uniformity", ranking.uniformity(set)}};
  };
  const std::string warning = advice(ranking, selection);
  return to_text(
      {{"sets", json_list(ranking.sets, json_set)},
       {"information_set", ranking.information_set().members},
       {"gap", ranking.gap},
       {"gap_standard_error", ranking.gap_error},
       {"gap_z", ranking.gap_z},
       {"selected", selection ? Json(ranking.sets[selection->selected].members) : Json()},
       {"critical_logit", selection ? Json(selection->critical_logit) : Json()},
       {"warning", warning.empty() ? Json() : Json(warning)}});
}

std::string joined(const std::vector<std::string>& parts) {
  const std::size_t shown = std::min(parts.size(), most_named);
  std::string text = fmt::format(
      "{}", fmt::join(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (parts.size() > shown) text += fmt::format("; and {} more", parts.size() - shown);
  return text;
}

// Sets that I and Ĩ rank differently.
std::string differences(const Ranking& ranking) {
  const auto by_modified = ranking.places(&RankedSet::modified);
  const auto by_standard = ranking.places(&RankedSet::chi_square);
  std::vector<std::string> parts;
  for (const std::size_t s : ranking.by_modified) {
    if (by_modified[s] != by_standard[s]) {
      parts.push_back(fmt::format("{} is no. {} by modified and no. {} by standard",
                                  set_of_lags(ranking.sets[s].members), by_modified[s],
                                  by_standard[s]));
    }
  }
  return parts.empty() ? "none" : joined(parts);
}

// Single lags for which Ĩ = I/d, as it is for doubly stochastic chains.
std::string uniform_lags(const Ranking& ranking) {
  std::vector<std::string> parts;
  std::size_t single = 0;
  for (const RankedSet& set : ranking.sets) {
    if (set.members.size() != 1) continue;
    ++single;
    if (std::abs(ranking.uniformity(set) - 1.0) <= agreement)
      parts.push_back(set_of_lags(set.members));
  }
  if (parts.empty()) return "for no single lag";
  return parts.size() == single ? "for every single lag" : "for " + joined(parts);
}

std::string as_table(const Ranking& ranking, const Selection& selection) {
  const std::vector<std::size_t> place = ranking.places(&RankedSet::chi_square);
  Table table;
  table.add({"set", "", "modified", "standard", "no. by standard", "d^|S| modified/standard"});
  for (const std::size_t s : ranking.by_modified) {
    const RankedSet& set = ranking.sets[s];
    table.add({set_of_lags(set.members), s == ranking.by_modified.front() ? "S*" : "",
               with_error(set.modified, set.modified_error),
               with_error(set.chi_square, set.chi_square_error), fmt::format("{}", place[s]),
               number(ranking.uniformity(set))});
  }
  Fields fields;
  fields.add("information set", to_string_subset(ranking.information_set().lags));
  if (ranking.sets.size() > 1) {
    const std::string second = set_of_lags(ranking.sets[ranking.by_modified[1]].members);
    fields.add("gap", fmt::format("{} to {}, z = {} (differences on the same {} chains)",
                                  with_error(ranking.gap, ranking.gap_error), second,
                                  number(ranking.gap_z), ranking.chains));
  }
  fields.add("modified = standard/d", uniform_lags(ranking));
  fields.add("orders differ", differences(ranking));
  if (selection) {
    fields.add("own logits for it",
               std::isnan(selection->critical_logit)
                   ? std::string("none at which training selects it")
                   : fmt::format("above {} training selects it, (7.4); {} at the usual start "
                                 "(infinite context, {} chains)",
                                 number(selection->critical_logit), number(InitialPoint().w_own),
                                 selection->chains));
  }
  const std::string warning = advice(ranking, selection);
  return table.text() + "\n" + fields.text() +
         (warning.empty() ? "" : "\nwarning: " + warning + "\n");
}

}  // namespace

int rank(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  ProgressBar bar(problem.setting.quiet);
  const Ranking ranking = gihflow::rank(problem, &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  const Selection selection = selection_at_start(problem, ranking);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  print(problem.setting.json ? as_json(ranking, selection) : as_table(ranking, selection));
  return 0;
}

}  // namespace gihflow::cli
