#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/members.hpp"
#include "cli/parser.hpp"

namespace gihflow::cli {

namespace {

constexpr double hours_of_task = 2.0;  // intended length of a task
constexpr double least_limit = 0.5;    // hours

}  // namespace

std::string job_script(const Plan& plan, const SweepSetting& setting, const std::string& file) {
  const double jobs = static_cast<double>(setting.jobs.value_or(1));
  const double hours = estimated_seconds(plan, members_of(plan, std::nullopt)) / 3600.0 / jobs;
  const auto members = static_cast<double>(plan.members.size());
  const double tasks = setting.shard ? static_cast<double>(setting.shard->count)
                                     : std::clamp(std::ceil(hours / hours_of_task), 1.0, members);
  const auto minutes =
      static_cast<long>(std::ceil(60.0 * std::max(least_limit, 2.0 * hours / tasks)));
  const std::string directory = shell_word(setting.directory);
  return fmt::format(
      R"(#!/bin/bash
# {members} members, about {hours:.2g} h of work in all with {jobs:.0f} at a time.
#SBATCH --job-name=gihflow
#SBATCH --array=1-{tasks:.0f}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cores}
#SBATCH --time={minutes}
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=gihflow-%A_%a.out

# Members end with a checkpoint when the task is told to: USR1, a minute before its time is up, also puts it back into the
# queue; TERM is how Slurm preempts it, and then Slurm itself puts it back. The next time it runs what is left.
gihflow sweep {file} --directory {directory} --jobs {jobs:.0f} --threads {threads} --quiet{force} &
sweep=$!
again=
trap 'again=yes; kill -TERM "$sweep"' USR1
trap 'kill -TERM "$sweep"' TERM
while wait "$sweep"; kill -0 "$sweep" 2>/dev/null; do :; done
wait "$sweep"
code=$?
if [ -n "$again" ] && [ "$code" = 130 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
)",
      fmt::arg("members", plan.members.size()), fmt::arg("hours", hours), fmt::arg("jobs", jobs),
      fmt::arg("tasks", tasks), fmt::arg("cores", jobs * setting.member_threads),
      fmt::arg("minutes", minutes), fmt::arg("directory", directory),
      fmt::arg("file", shell_word(file)), fmt::arg("threads", setting.member_threads),
      fmt::arg("force", setting.force_members ? " --force" : ""));
}

}  // namespace gihflow::cli
