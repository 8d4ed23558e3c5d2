#include "gihflow/run/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/make_fault.hpp"
#include "cli/commands.hpp"
#include "cli/members.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/collect.hpp"
#include "gihflow/run/resume.hpp"

namespace gihflow::cli {

namespace {

std::string times_line(const Execution& execution) {
  const std::size_t processes = execution.processes.size();
  return fmt::format(
      "{:.2f} s{}: {:.2f} s drawing chains and counting windows, {:.2f} s flow, {:.2f} s "
      "baselines and standard errors\n",
      execution.wall_seconds, processes > 1 ? fmt::format(" in {} processes", processes) : "",
      execution.statistics_seconds, execution.flow_seconds, execution.report_seconds);
}

bool is_over(const Problem& problem) {
  const Setting& setting = problem.setting;
  return problem.resumed &&
         !nothing_left(problem.resumed->run, setting.flow.max_steps, setting.resume).empty();
}

}  // namespace

namespace {

// Trains with several seeds: members in the directory "run.members" for the output "run.h5", which
// then collects them.
int train_replicas(const Invocation& invocation, const Assembled& asked) {
  const Setting& setting = asked.setting;
  const std::string output =
      setting.output.empty() ? invocation.command->default_output : setting.output;
  ErrorList faults = asked.faults;
  if (!setting.resume.empty()) {
    faults.add(fault(Field::resume, setting.resume,
                     "must be left out beside {}: the same call again goes on", Field::replicas));
  }
  if (setting.max_wall) {
    faults.add(
        fault(Field::max_wall, *setting.max_wall, "must be left out beside {}", Field::replicas));
  }
  const std::string& config = invocation.line.config;
  std::error_code unknown;
  if (!config.empty() && !std::filesystem::is_regular_file(config, unknown)) {
    faults.add(fault(Field::config, config, "must be a regular file with {}, whose members read it",
                     Field::replicas));
  }
  if (const auto fault = output_fault(Field::output, output, setting.force)) faults.add(*fault);
  faults.throw_if_any();
  const Plan plan = replicas_of(invocation.line, setting.replicas);
  SweepSetting members;
  members.directory = std::filesystem::path(output).replace_extension("members").string();
  members.jobs = setting.jobs;
  members.member_threads = setting.threads.value_or(1);
  members.table = output;
  members.force_members = setting.force;
  members.isolation = setting.isolation;
  const Index jobs = setting.jobs.value_or(std::max(1, threads() / members.member_threads));
  if (setting.dry_run) {
    print_dry_run(plan, members_of(plan, std::nullopt), jobs);
    return 0;
  }
  SweepBar bar(setting.quiet);
  SweepResult result = sweep(plan, members, &bar);
  if (!result.interrupted) {
    const std::size_t processes = result.run;
    const int code = result.exit_code();
    result = collect(plan, members, &bar);
    result.run = processes;
    bar.clear();
    print(setting.json ? members_json(plan, result)
                       : members_report(plan, result, jobs) + "\nwritten to " + output + "\n");
    return result.interrupted ? result.exit_code() : code;
  }
  bar.clear();
  print(setting.json ? members_json(plan, result) : members_report(plan, result, jobs));
  return result.exit_code();
}

}  // namespace

int train(const Invocation& invocation) {
  // Assembled once, since a config from a pipe cannot be read again.
  Assembled asked = assembled(invocation);
  if (asked.setting.replicas > 1) return train_replicas(invocation, asked);
  const Problem problem = prepare(invocation, std::move(asked));
  const Setting& setting = problem.setting;
  if (answered_dry_run(problem)) return 0;
  announce_cost(problem);
  ProgressBar bar(setting.quiet);
  const RunFile run = gihflow::train(problem, &bar);
  bar.clear();
  if (setting.json) {
    print(run_json(run, setting.output));
  } else if (is_over(problem)) {
    print(run_report(run));
  } else {
    print(run_report(run) + "\n" + times_line(run.execution) + "written to " + setting.output +
          "\n");
  }
  const bool complete = run.baselines || !has_ended(run.state.outcome);
  return exit_code(complete ? run.state.outcome : Outcome::interrupted);
}

}  // namespace gihflow::cli
