#include "gihflow/run/sweep.hpp"

#include <fmt/format.h>

#include "base/make_fault.hpp"
#include "cli/commands.hpp"
#include "cli/members.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/collect.hpp"
#include "gihflow/run/estimate.hpp"

namespace gihflow::cli {

namespace {

// The setting of the call. Throws InputError if it asks for more than one action.
Setting setting_of(const Invocation& invocation) {
  Assembled all = assembled(invocation);
  const Setting& setting = all.setting;
  const std::pair<Field, bool> actions[] = {{Field::status, setting.status},
                                            {Field::collect, !setting.table.empty()},
                                            {Field::sbatch, setting.sbatch},
                                            {Field::dry_run, setting.dry_run}};
  const Field* first = nullptr;
  for (const auto& [field, asked] : actions) {
    if (asked && first != nullptr) {
      all.faults.add({field, "", phrase("must be left out beside {}", *first), ""});
    }
    if (asked && first == nullptr) first = &field;
  }
  if (setting.directory.empty() && !setting.dry_run) {
    all.faults.add({Field::directory, "", "must be given: where the run files are", ""});
  }
  all.faults.throw_if_any();
  return all.setting;
}

}  // namespace

int sweep(const Invocation& invocation) {
  const Setting setting = setting_of(invocation);
  const Plan plan = read_plan(invocation.file);
  const auto sweep_setting = setting.as<SweepSetting>();
  const Index jobs = setting.jobs.value_or(std::max(1, threads() / setting.member_threads));
  const auto report = [&](const SweepResult& result) {
    print(setting.json ? members_json(plan, result) : members_report(plan, result, jobs));
  };
  if (setting.sbatch) {
    check_plan(plan, Isolation::child);
    print(job_script(plan, sweep_setting, invocation.file));
    return 0;
  }
  if (setting.dry_run) {
    check_plan(plan, Isolation::child);
    print_dry_run(plan, members_of(plan, setting.shard ? setting.shard : slurm_shard()), jobs);
    return 0;
  }
  if (setting.status) {
    report(sweep_status(plan, sweep_setting));
    return 0;
  }
  SweepBar bar(setting.quiet);
  if (!setting.table.empty()) {
    const SweepResult result = collect(plan, sweep_setting, &bar);
    bar.clear();
    report(result);
    return 0;
  }
  const SweepResult result = gihflow::sweep(plan, sweep_setting, &bar);
  bar.clear();
  report(result);
  return result.exit_code();
}

}  // namespace gihflow::cli
