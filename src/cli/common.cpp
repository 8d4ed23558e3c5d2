#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/run/estimate.hpp"

namespace gihflow::cli {

std::string option_spelling(Field field) {
  return fmt::format("--{}", name(field));
}

Assembled assembled(const Invocation& invocation) {
  Assembled result = assemble(invocation.line);
  result.setting.command_line = invocation.text;
  ErrorList faults = invocation.faults;
  faults.add(result.faults);
  result.faults = std::move(faults);
  return result;
}

Problem prepare(const Invocation& invocation) {
  return prepare(invocation, assembled(invocation));
}

Problem prepare(const Invocation& invocation, Assembled all) {
  const bool new_output = all.setting.output.empty() && all.setting.resume.empty();
  if (new_output) all.setting.output = invocation.command->default_output;
  return gihflow::prepare(std::move(all));
}

void print(const std::string& text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0) {
    throw WriteError(fmt::format("results could not be printed: {}", std::strerror(errno)));
  }
}

void say(const std::string& text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

namespace {

void print_estimate(const Problem& problem) {
  const Estimate size = estimate(problem);
  const bool trains = problem.has<RunSetting>();
  const bool integrates = trains || problem.has<RateSetting>();
  const TimeEstimate time = integrates ? estimate_time(problem) : TimeEstimate();
  if (problem.setting.json) {
    Json json{{"chains", size.chains}};
    json["length"] = problem.infinite() ? Json(nullptr) : Json(size.length);
    if (trains) {
      json["validation_chains"] = size.validation_chains;
      json["subsets"] = size.subsets;
      json["parameters"] = size.parameters;
      json["windows"] = size.windows;
      json["pairs_per_chain"] = size.pairs_per_chain;
      json["outputs"] = size.outputs;
    }
    json["memory_bytes"] = size.memory;
    json["memory_limit_bytes"] = size.memory_limit;
    json["disk_bytes"] = size.disk;
    if (integrates) {
      json["seconds"] = time.seconds();
      json["statistics_seconds"] = time.statistics;
      json["gradient_seconds"] = time.gradient;
      json["gradients"] = time.gradients;
    }
    print(to_text(json));
    return;
  }
  Fields fields;
  fields.add("chains", problem.infinite()
                           ? fmt::format("{} in infinite context", size.chains)
                           : fmt::format("{} of length {}", size.chains, size.length));
  if (trains) {
    fields.add("validation chains", fmt::format("{}", size.validation_chains));
    fields.add("parameters", fmt::format("{}, of {} subsets", size.parameters, size.subsets));
    fields.add("windows", fmt::format("{:.6g}, at most {:.6g} (window, token) pairs a chain",
                                      size.windows, size.pairs_per_chain));
    fields.add("stages", to_string(problem.setting.stages));
    fields.add("outputs", fmt::format("{}", size.outputs));
  }
  fields.add("memory", fmt::format("at most {} of {}", to_string_bytes(size.memory),
                                   to_string_bytes(size.memory_limit)));
  fields.add("disk",
             fmt::format("at most {}, {}", to_string_bytes(size.disk), problem.setting.output));
  if (integrates) {
    fields.add("time", fmt::format("about {}: statistics {}, {}{:.4g} gradients of {}",
                                   to_string_duration(time.seconds()),
                                   to_string_duration(time.statistics), time.counted ? "" : "some ",
                                   time.gradients, to_string_duration(time.gradient)));
  }
  print(fields.text());
}

}  // namespace

bool answered_dry_run(const Problem& problem) {
  const Setting& setting = problem.setting;
  if (!setting.dry_run) return false;
  for (const Phrase& note : problem.notes) {
    if (!setting.quiet) say(fmt::format("note: {}\n", words(note, option_spelling)));
  }
  print_estimate(problem);
  return true;
}

void announce_cost(const Problem& problem) {
  if (problem.setting.quiet || problem.resumed || isatty(STDERR_FILENO) == 0) return;
  say(fmt::format("up to {} of memory, about {}\n", to_string_bytes(estimate(problem).memory),
                  to_string_duration(estimate_time(problem).seconds())));
}

}  // namespace gihflow::cli
