#include "gihflow/run/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

// The stretches that were asked for. The one drawn at random cannot be foreseen by whoever wrote
// the file.
std::vector<Stretch> chosen(const std::vector<Stretch>& all, const Setting& asked,
                            const std::string& path) {
  std::vector<Stretch> possible;
  for (const Stretch& stretch : all) {
    if (!asked.audit_stage || stretch.stage == *asked.audit_stage) possible.push_back(stretch);
  }
  if (possible.empty()) {
    throw InputError(asked.audit_stage
                         ? fmt::format("--stage {}: must be a stage in which {} has taken a step",
                                       *asked.audit_stage, path)
                         : path + ": has recorded no step yet");
  }
  if (asked.audit_all) return possible;
  if (asked.audit_from) {
    for (const Stretch& stretch : possible) {
      if (*asked.audit_from >= stretch.begin && *asked.audit_from <= stretch.end) return {stretch};
    }
    throw InputError(fmt::format("--from {}: must be from 0 to {}, where stage {} has come",
                                 *asked.audit_from, possible.back().end, *asked.audit_stage));
  }
  std::random_device device;
  return {possible[std::uniform_int_distribution<std::size_t>(0, possible.size() - 1)(device)]};
}

std::string verdict(const Audit& audit) {
  return audit.passed() ? "PASS" : "FAIL";
}

// Where the bits of a stretch part, in words; empty where they do not.
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

Json json_of(const Audit& audit) {
  const Stretch& stretch = audit.stretch;
  Json quantities = Json::array();
  for (const AuditedQuantity& quantity : audit.quantities) {
    const NumberDifference& numbers = quantity.numbers;
    quantities.push_back({{"name", quantity.name},
                          {"entries", numbers.entries},
                          {"different", numbers.different},
                          {"absolute", json_number(numbers.absolute)},
                          {"relative", json_number(numbers.relative)},
                          {"ulp", numbers.ulp}});
    quantities.back()["first"] =
        quantity.first ? Json{{"index", quantity.first->index}, {"t", quantity.first->t}}
                       : Json(nullptr);
  }
  return {{"stretch", stretch.number}, {"stage", stretch.stage},
          {"begin", stretch.begin},    {"end", stretch.end},
          {"steps", stretch.steps},    {"rhs_evaluations", stretch.rhs_evaluations},
          {"outputs", audit.outputs},  {"passed", audit.passed()},
          {"failure", audit.failure},  {"quantities", quantities}};
}

std::string as_table(const std::vector<Audit>& audits, std::size_t all) {
  Table table;
  table.add({"stretch", "stage", "from t", "to t", "steps", "rhs", "outputs", "verdict"});
  for (const Audit& audit : audits) {
    const Stretch& s = audit.stretch;
    table.add({fmt::format("{} of {}", s.number, all), fmt::format("{}", s.stage), number(s.begin),
               number(s.end), fmt::format("{}", s.steps), fmt::format("{}", s.rhs_evaluations),
               fmt::format("{}", audit.outputs), verdict(audit)});
  }
  std::string text = table.text();
  for (const Audit& audit : audits) {
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
  const Assembled assembled = assemble(invocation.line);
  std::vector<std::string> errors = invocation.errors;
  errors.insert(errors.end(), assembled.faults.sentences.begin(), assembled.faults.sentences.end());
  const Setting& asked = assembled.setting;
  if (asked.audit_from && !asked.audit_stage) {
    errors.push_back(fmt::format("--from {}: must be beside --stage", *asked.audit_from));
  }
  if (asked.audit_from && asked.audit_all) {
    errors.push_back("--all: must be left out beside --from");
  }
  if (!errors.empty()) throw InputError(std::move(errors));

  const Auditor auditor(invocation.file, asked.threads);
  const std::vector<Stretch> all = stretches(auditor.run().state);
  const std::vector<Stretch> stretches = chosen(all, asked, invocation.file);
  if (!asked.quiet) {
    for (const std::string& note : auditor.notes()) say(fmt::format("note: {}\n", note));
  }
  std::vector<Audit> audits;
  for (const Stretch& stretch : stretches) {
    audits.push_back(auditor.audit(stretch));
    if (interrupt_requested()) return exit_code(Outcome::interrupted);
  }
  const bool passed =
      std::all_of(audits.begin(), audits.end(), [](const Audit& audit) { return audit.passed(); });
  if (asked.json) {
    Json list = Json::array();
    for (const Audit& audit : audits) list.push_back(json_of(audit));
    print(to_text({{"file", invocation.file},
                   {"stretches", all.size()},
                   {"audited", list},
                   {"notes", auditor.notes()},
                   {"passed", passed}}));
  } else {
    print(as_table(audits, all.size()));
  }
  return passed ? 0 : 1;
}

}  // namespace gihflow::cli
