#include "gihflow/run/predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/predictions.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

// Whether a prediction is a set of lags or heads, not a number.
bool is_set(const Prediction& p) {
  return !p.sharp_set.empty() || !p.trained_set.empty();
}

// What to try if training from a start with this a will not select S*; empty if it will.
std::string advice_on(const std::vector<Prediction>& predictions, double a) {
  const auto find = [&](Quantity quantity) {
    return std::find_if(predictions.begin(), predictions.end(),
                        [&](const Prediction& p) { return p.quantity == quantity; });
  };
  const auto best = find(Quantity::information_set), winner = find(Quantity::takeover_set),
             critical = find(Quantity::critical_logit);
  if (best == predictions.end() || winner == predictions.end()) return "";
  if (a == 0.0)
    return fmt::format(
        "at a = 0 no weights move, so that no set takes over; try {} above 0, or all blocks at "
        "once, {} cwa:50000",
        option_spelling(Field::a_init), option_spelling(Field::stages));
  if (critical == predictions.end())
    return fmt::format("no heads look at the information set {} alone", best->sharp_set);
  if (winner->trained_set == to_string_subset(critical->subject.set)) return "";
  return selection_advice(best->sharp_set, winner->trained_set, critical->trained);
}

}  // namespace

Json json_subject(Quantity quantity, const Subject& subject) {
  Json json = Json::object();
  for (const auto& [name, value] : members_of(quantity, subject)) json[name] = value;
  return json;
}

Json json_prediction(const Prediction& p) {
  return {{"phase", phase_of(p.quantity)},
          {"name", to_string(p.quantity)},
          {"subject", json_subject(p.quantity, p.subject)},
          {"quantity", label(p.quantity, p.subject)},
          {"units", units_of(p.quantity)},
          {"sharp", is_set(p) ? Json(p.sharp_set) : Json(p.sharp)},
          {"trained", is_set(p) ? Json(p.trained_set) : Json(p.trained)},
          {"regime", p.regime}};
}

std::string selection_advice(const std::string& information_set, const std::string& selected,
                             double critical_logit) {
  return fmt::format(
      "the information set {} is not what training selects: {} takes over; try {}attention first, "
      "{} w:50000,c:2000,w:50000,a:5000, or all blocks at once, {} cwa:50000",
      information_set, selected,
      std::isnan(critical_logit)
          ? ""
          : fmt::format("{} above {}, ", option_spelling(Field::w_own), number(critical_logit)),
      option_spelling(Field::stages), option_spelling(Field::stages));
}

std::string prediction_table(const std::vector<Prediction>& predictions,
                             const std::vector<double>& measured) {
  Table table;
  std::vector<std::string> head{"prediction", "stage", "units", "sharp", "as trained"};
  if (!measured.empty()) head.insert(head.end(), {"measured", "to sharp", "to as trained"});
  table.add(std::move(head));
  Footnotes regimes;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& p = predictions[i];
    std::vector<std::string> row{label(p.quantity, p.subject) + regimes.mark(p.regime),
                                 phase_of(p.quantity), units_of(p.quantity),
                                 is_set(p) ? p.sharp_set : number(p.sharp),
                                 is_set(p) ? p.trained_set : number(p.trained)};
    if (!measured.empty()) {
      const auto change = [&](double predicted) {
        const double x = measured[i] / predicted - 1.0;
        return std::isfinite(x) ? fmt::format("{:+.2f} %", 100.0 * x) : std::string("-");
      };
      row.insert(row.end(), {is_set(p) ? "" : number(measured[i]), is_set(p) ? "" : change(p.sharp),
                             is_set(p) ? "" : change(p.trained)});
    }
    table.add(std::move(row));
  }
  return table.text() + "\nexact where:\n" + regimes.text();
}

int predict(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  ProgressBar bar(problem.setting.quiet);
  const std::vector<Prediction> predictions = gihflow::predict(problem, &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  const std::string advice = advice_on(predictions, problem.start().a);
  if (!problem.setting.json) {
    print(prediction_table(predictions, {}) +
          (advice.empty() ? "" : "\nwarning: " + advice + "\n"));
    return 0;
  }
  print(to_text({{"predictions", json_list(predictions, json_prediction)},
                 {"warning", advice.empty() ? Json() : Json(advice)}}));
  return 0;
}

}  // namespace gihflow::cli
