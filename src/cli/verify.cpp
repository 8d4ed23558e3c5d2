#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "cli/theory_setting.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/record/verification_file.hpp"
#include "gihflow/run/train.hpp"
#include "gihflow/theory/measurement.hpp"
#include "gihflow/theory/verification.hpp"

namespace gihflow::cli {

namespace {

/// Whether a setting of one's own was given, rather than how to compute and where to write.
bool is_own(const Setting& setting) {
  return std::any_of(setting.given.begin(), setting.given.end(), [](const auto& entry) {
    constexpr std::array general = {"seed",   "threads", "engine", "device",
                                    "output", "force",   "json",   "quiet"};
    return std::find(general.begin(), general.end(), entry.first) == general.end();
  });
}

/// The setting's own flow beside its predictions.
std::vector<Departure> departures(const Problem& problem) {
  const TheorySetting theory = theory_setting(problem);
  TrainingState state = begin_training(theory.input.start);
  train_flow(state, problem.setting.stages, *theory.trained, nullptr, problem.setting.flow,
             nullptr);
  std::vector<Departure> result;
  for (const Prediction& p : predictions(theory.input)) {
    result.push_back({p, measure(p.quantity, p.subject, state.trajectory)});
  }
  return result;
}

std::string as_table(const Verification& verification) {
  Table table;
  table.add({"quantity", "stage", "predicted", "measured", "difference", "tolerance", "verdict"});
  std::vector<std::string> regimes;
  for (const VerificationRow& row : verification.rows) {
    const bool sets = !row.predicted_set.empty();
    std::string name = label(row);
    if (!row.regime.empty()) {
      auto known = std::find(regimes.begin(), regimes.end(), row.regime);
      if (known == regimes.end()) known = regimes.insert(regimes.end(), row.regime);
      name += fmt::format(" [{}]", known - regimes.begin() + 1);
    }
    table.add({name, phase_of(row.quantity), sets ? row.predicted_set : number(row.predicted),
               sets ? row.measured_set : number(row.measured),
               sets ? "" : small_number(row.difference), sets ? "" : number(row.tolerance),
               row.passed ? "PASS" : "FAIL"});
  }
  std::string text = table.text() + "\nregimes:\n";
  for (std::size_t i = 0; i < regimes.size(); ++i) {
    text += fmt::format("[{}] {}\n", i + 1, regimes[i]);
  }
  if (!verification.departures.empty()) {
    std::vector<Prediction> lines;
    std::vector<double> seen;
    for (const Departure& d : verification.departures) {
      lines.push_back(d.prediction);
      seen.push_back(d.measured);
    }
    text += "\nthe setting of your own:\n" + prediction_table(lines, seen);
  }
  const auto failed = std::count_if(verification.rows.begin(), verification.rows.end(),
                                    [](const VerificationRow& row) { return !row.passed; });
  return text + fmt::format("\n{} of {} rows pass: {}\n",
                            verification.rows.size() - static_cast<std::size_t>(failed),
                            verification.rows.size(), verification.passed() ? "PASS" : "FAIL");
}

std::string as_json(const Verification& verification) {
  Json rows = Json::array(), lines = Json::array();
  for (const VerificationRow& row : verification.rows) {
    const bool sets = !row.predicted_set.empty();
    rows.push_back({{"phase", phase_of(row.quantity)},
                    {"name", to_string(row.quantity)},
                    {"subject", json_subject(row.quantity, row.subject)},
                    {"setting", row.setting},
                    {"quantity", label(row)},
                    {"predicted", sets ? Json(row.predicted_set) : json_number(row.predicted)},
                    {"measured", sets ? Json(row.measured_set) : json_number(row.measured)},
                    {"difference", json_number(row.difference)},
                    {"tolerance", json_number(row.tolerance)},
                    {"passed", row.passed},
                    {"regime", row.regime}});
  }
  for (const Departure& d : verification.departures) {
    const Prediction& p = d.prediction;
    const bool is_set = !p.sharp_set.empty() || !p.trained_set.empty();
    lines.push_back({{"phase", phase_of(p.quantity)},
                     {"name", to_string(p.quantity)},
                     {"subject", json_subject(p.quantity, p.subject)},
                     {"quantity", label(p.quantity, p.subject)},
                     {"units", units_of(p.quantity)},
                     {"sharp", is_set ? Json(p.sharp_set) : json_number(p.sharp)},
                     {"trained", is_set ? Json(p.trained_set) : json_number(p.trained)},
                     {"measured", json_number(d.measured)},
                     {"regime", p.regime}});
  }
  return to_text({{"rows", rows}, {"departures", lines}, {"passed", verification.passed()}});
}

}  // namespace

int verify(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  print_notes(problem);
  const ContextScope scope({.threads = setting.threads});
  OutputFile file(setting.output, setting.force);
  VerifyOptions options;
  options.seed = setting.sampling.seed;
  if (!setting.quiet) {
    options.progress = [](const std::string& name) { say(name + "\n"); };
  }
  Verification verification = gihflow::verify(options);
  if (is_own(setting) && !interrupt_requested()) {
    if (options.progress) options.progress("the setting of your own");
    verification.departures = departures(problem);
  }
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  write_verification(file, verification,
                     {version(), git_commit(), problem.config(), setting.sampling.seed});
  print(setting.json ? as_json(verification) : as_table(verification));
  return verification.passed() ? 0 : 1;
}

}  // namespace gihflow::cli
