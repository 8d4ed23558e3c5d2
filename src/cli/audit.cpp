#include "gihflow/run/audit.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

std::string verdict(const Audit& audit) {
  return audit.passed() ? "PASS" : "FAIL";
}

// Where recorded and recomputed bits of a stretch first differ, in words; empty if they agree.
std::string first_difference(const Audit& audit) {
  if (!audit.failure.empty()) return audit.failure;
  const AuditedQuantity* first = nullptr;
  for (const AuditedQuantity& quantity : audit.quantities) {
    if (quantity.numbers.different == 0) continue;
    if (first == nullptr ||
        (quantity.first && first->first && quantity.first->index < first->first->index)) {
      first = &quantity;
    }
  }
  if (first == nullptr) return "";
  if (!first->first) return first->name + " of the integrator at the end";
  return fmt::format("{} of output {}, t = {}", first->name, first->first->index,
                     number(first->first->t));
}

Json json_of(const AuditedQuantity& quantity) {
  Json json = json_difference(quantity.name, quantity.numbers);
  json["first"] =
      quantity.first ? Json{{"index", quantity.first->index}, {"t", quantity.first->t}} : Json();
  return json;
}

Json json_of(const Audit& audit) {
  const Stretch& stretch = audit.stretch;
  return {{"stretch", stretch.number},
          {"stage", stretch.stage},
          {"begin", stretch.begin},
          {"end", stretch.end},
          {"steps", stretch.steps},
          {"rhs_evaluations", stretch.rhs_evaluations},
          {"outputs", audit.outputs},
          {"passed", audit.passed()},
          {"failure", audit.failure},
          {"quantities",
           json_list(audit.quantities, [](const AuditedQuantity& q) { return json_of(q); })}};
}

std::string as_table(const AuditReport& report) {
  Table table;
  table.add({"stretch", "stage", "from t", "to t", "steps", "rhs", "outputs", "verdict"});
  for (const Audit& audit : report.audits) {
    const Stretch& s = audit.stretch;
    table.add({fmt::format("{} of {}", s.number, report.stretches), fmt::format("{}", s.stage),
               number(s.begin), number(s.end), fmt::format("{}", s.steps),
               fmt::format("{}", s.rhs_evaluations), fmt::format("{}", audit.outputs),
               verdict(audit)});
  }
  std::string text = table.text();
  for (const Audit& audit : report.audits) {
    if (audit.passed()) continue;
    text += fmt::format("\nstretch {}: other bits first in {}\n", audit.stretch.number,
                        first_difference(audit));
    Table differences;
    differences.add({"quantity", "numbers", "different", "absolute", "relative", "ULP"});
    for (const AuditedQuantity& quantity : audit.quantities) {
      const NumberDifference& n = quantity.numbers;
      if (n.different == 0) continue;
      differences.add({quantity.name, fmt::format("{}", n.entries), fmt::format("{}", n.different),
                       small_number(n.absolute), small_number(n.relative),
                       fmt::format("{}", n.ulp)});
    }
    text += differences.text();
  }
  return text;
}

}  // namespace

int audit(const Invocation& invocation) {
  const Assembled line = assembled(invocation);
  line.faults.throw_if_any();
  const Setting& asked = line.setting;
  ProgressBar bar(asked.quiet);
  const AuditReport report = gihflow::audit(invocation.file, asked.as<AuditSetting>(), &bar);
  if (interrupt_requested()) return exit_code(Outcome::interrupted);
  if (asked.json) {
    print(to_text(
        {{"file", invocation.file},
         {"stretches", report.stretches},
         {"audited", json_list(report.audits, [](const Audit& one) { return json_of(one); })},
         {"notes",
          json_list(report.notes, [](const Phrase& note) { return words(note, option_spelling); })},
         {"passed", report.passed()}}));
  } else {
    print(as_table(report));
  }
  return report.passed() ? 0 : 1;
}

}  // namespace gihflow::cli
