#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/run/check.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

std::string part_name(const std::string& part) {
  if (part == "selector") return "selector (p)";
  return part == "copier" ? "copier (attention)" : "classifier (a)";
}

std::string part_list(const Parts& parts, bool with_symbols) {
  std::string text;
  for (const std::string& name : names_of(parts)) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", with_symbols ? part_name(name) : name);
  }
  return text;
}

Json json_distance(const Distance& d) {
  return {{"total_variation", d.total_variation},
          {"total_variation_standard_error", d.total_variation_error},
          {"kl", d.kl},
          {"kl_standard_error", d.kl_error},
          {"argmax_agreement", d.argmax_agreement}};
}

Json json_substitution(const Substitution& s) {
  return {{"ideal", names_of(s.parts)}, {"a", s.a}, {"total_variation", s.total_variation}};
}

std::string as_json(const CheckResult& result) {
  const auto json_point = [&](const CheckPoint& point) {
    return Json{{"length", point.length},
                {"alpha", result.from_prior ? Json(point.alpha) : Json()},
                {"chains", result.chains},
                {"loss", json_optional(point.trained.loss)},
                {"loss_standard_error", json_optional(point.trained.loss_error)},
                {"accuracy", json_optional(point.trained.accuracy)},
                {"accuracy_standard_error", json_optional(point.trained.accuracy_error)},
                {"recall_accuracy", json_optional(point.recall)},
                {"baselines", json_record(point.lines)},
                {"to_information_set", json_distance(point.limit)},
                {"to_leading_set", json_distance(point.leading)},
                {"passed", point.passed},
                {"missing", names_of(point.missing)},
                {"substitutions", json_list(point.substitutions, json_substitution)}};
  };
  return to_text({{"information_set", result.information_set},
                  {"leading_set", result.leading_set},
                  {"tolerance", result.tolerance},
                  {"results", json_list(result.points, json_point)},
                  {"passed", result.passed()}});
}

// Loss and accuracy of the model and of the reference predictors, a row per point.
std::string predictor_table(const CheckResult& result) {
  Table table;
  std::vector<std::string> head{"length", "alpha", "", "model", "GIH(S*)", "unigram", "bigram"};
  const bool known = std::any_of(result.points.begin(), result.points.end(),
                                 [](const auto& p) { return p.lines.posterior_loss.has_value(); });
  const bool recall = !result.points.empty() && result.points.front().recall.has_value();
  if (known) head.emplace_back("posterior");
  head.emplace_back("floor");
  if (recall) head.emplace_back("by (8.5)");
  table.add(std::move(head));
  const auto text = [](const std::optional<double>& value, const std::optional<double>& error) {
    return value ? with_error(*value, error.value_or(NAN)) : std::string("-");
  };
  for (const CheckPoint& p : result.points) {
    const Baselines& b = p.lines;
    std::vector<std::string> losses{fmt::format("{}", p.length),
                                    result.from_prior ? number(p.alpha) : "-",
                                    "loss",
                                    text(p.trained.loss, p.trained.loss_error),
                                    text(b.gih_loss, b.gih_loss_error),
                                    text(b.unigram.loss, b.unigram.loss_error),
                                    text(b.bigram.loss, b.bigram.loss_error)};
    std::vector<std::string> shares{"",
                                    "",
                                    "accuracy",
                                    text(p.trained.accuracy, p.trained.accuracy_error),
                                    text(b.gih_accuracy, b.gih_accuracy_error),
                                    text(b.unigram.accuracy, b.unigram.accuracy_error),
                                    text(b.bigram.accuracy, b.bigram.accuracy_error)};
    if (known) {
      losses.push_back(text(b.posterior_loss, b.posterior_loss_error));
      shares.push_back(text(b.posterior_accuracy, b.posterior_accuracy_error));
    }
    losses.push_back(text(b.entropy_floor, b.entropy_floor_error));
    shares.push_back(text(b.best_accuracy, b.best_accuracy_error));
    if (recall) {
      losses.emplace_back("");
      shares.push_back(fmt::format("{:.4f}", p.recall.value_or(NAN)));
    }
    table.add(std::move(losses));
    table.add(std::move(shares));
  }
  return table.text();
}

std::string as_table(const CheckResult& result) {
  std::string text = fmt::format(
      "information set S* {}, leading set of the run {}, {} fresh chains for each row\n\n",
      set_of_lags(result.information_set), set_of_lags(result.leading_set), result.chains);
  Table table;
  table.add({"length", "alpha", "total variation", "KL", "argmax", "to leading set", "verdict"});
  for (const CheckPoint& p : result.points) {
    table.add({fmt::format("{}", p.length), result.from_prior ? number(p.alpha) : "-",
               with_error(p.limit.total_variation, p.limit.total_variation_error),
               with_error(p.limit.kl, p.limit.kl_error),
               fmt::format("{:.4f}", p.limit.argmax_agreement),
               fmt::format("{:.5f}", p.leading.total_variation), p.passed ? "PASS" : "FAIL"});
  }
  text += table.text() + "\n" + predictor_table(result);
  for (const CheckPoint& p : result.points) {
    if (p.passed) continue;
    text += fmt::format("\nlength {}, alpha {}: missing {}\n", p.length,
                        result.from_prior ? number(p.alpha) : "-", part_list(p.missing, true));
    Table parts;
    parts.add({"ideal parts", "a", "total variation"});
    for (const Substitution& s : p.substitutions) {
      const std::string names = part_list(s.parts, false);
      parts.add(
          {names.empty() ? "none" : names, number(s.a), fmt::format("{:.5f}", s.total_variation)});
    }
    text += parts.text();
  }
  return text + fmt::format("\ntotal variation to the limit {} {} at every length and prior: {}\n",
                            result.passed() ? "within" : "not within", result.tolerance,
                            result.passed() ? "PASS" : "FAIL");
}

}  // namespace

int check(const Invocation& invocation) {
  const Assembled line = assembled(invocation);
  line.faults.throw_if_any();
  const Setting& asked = line.setting;
  ProgressBar bar(asked.quiet);
  const CheckResult result = gihflow::check(invocation.file, asked.as<CheckSetting>(), &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  print(asked.json ? as_json(result) : as_table(result));
  return result.passed() ? 0 : 1;
}

}  // namespace gihflow::cli
