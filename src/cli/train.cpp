#include "gihflow/run/train.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
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

int train(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  if (setting.dry_run) {
    print_notes(problem);
    print_estimate(problem);
    return 0;
  }
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
