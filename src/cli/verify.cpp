#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/predictions.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/train.hpp"
#include "gihflow/run/verify.hpp"

namespace gihflow::cli {

namespace {

std::string as_table(const Verification& verification) {
  Table table;
  table.add({"quantity", "stage", "predicted", "measured", "difference", "tolerance", "verdict"});
  Footnotes regimes;
  for (const VerificationRow& row : verification.rows) {
    const bool sets = !row.predicted_set.empty();
    table.add({label(row) + regimes.mark(row.regime), phase_of(row.quantity),
               sets ? row.predicted_set : number(row.predicted),
               sets ? row.measured_set : number(row.measured),
               sets ? "" : small_number(row.difference), sets ? "" : number(row.tolerance),
               row.passed ? "PASS" : "FAIL"});
  }
  std::string text = table.text() + "\nregimes:\n" + regimes.text();
  if (!verification.departures.empty()) {
    std::vector<Prediction> lines;
    std::vector<double> seen;
    for (const Departure& d : verification.departures) {
      lines.push_back(d.prediction);
      seen.push_back(d.measured);
    }
    text += "\nthe given setting:\n" + prediction_table(lines, seen);
  }
  const auto failed = std::count_if(verification.rows.begin(), verification.rows.end(),
                                    [](const VerificationRow& row) { return !row.passed; });
  return text + fmt::format("\n{} of {} rows pass: {}\n",
                            verification.rows.size() - static_cast<std::size_t>(failed),
                            verification.rows.size(), verification.passed() ? "PASS" : "FAIL");
}

Json json_row(const VerificationRow& row) {
  const bool sets = !row.predicted_set.empty();
  return {{"phase", phase_of(row.quantity)},
          {"name", to_string(row.quantity)},
          {"subject", json_subject(row.quantity, row.subject)},
          {"setting", row.setting},
          {"quantity", label(row)},
          {"predicted", sets ? Json(row.predicted_set) : Json(row.predicted)},
          {"measured", sets ? Json(row.measured_set) : Json(row.measured)},
          {"difference", row.difference},
          {"tolerance", row.tolerance},
          {"passed", row.passed},
          {"regime", row.regime}};
}

Json json_departure(const Departure& departure) {
  Json json = json_prediction(departure.prediction);
  json["measured"] = departure.measured;
  return json;
}

std::string as_json(const Verification& verification) {
  return to_text({{"rows", json_list(verification.rows, json_row)},
                  {"departures", json_list(verification.departures, json_departure)},
                  {"passed", verification.passed()}});
}

}  // namespace

int verify(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  ProgressBar bar(problem.setting.quiet, ProgressBar::Phases::lines);
  const Verification verification = gihflow::verify(problem, &bar);
  bar.clear();
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  print(problem.setting.json ? as_json(verification) : as_table(verification));
  return verification.passed() ? 0 : 1;
}

}  // namespace gihflow::cli
