#pragma once

#include <string>

#include "cli/progress.hpp"
#include "gihflow/run/sweep.hpp"

namespace gihflow::cli {

/// Follows a sweep on stderr.
class SweepBar final : public SweepObserver {
 public:
  explicit SweepBar(bool quiet) : line_(quiet) {}
  void note(const Phrase& text) override { line_.note(text); }
  void progress(const SweepProgress& progress) override;
  /// Removes the line.
  void clear() { line_.clear(); }

 private:
  StatusLine line_;
};

/// States of the members of a share: counts, time left with `jobs` at a time, failed members.
std::string members_report(const Plan& plan, const SweepResult& result, Index jobs);
/// The same and every member as JSON.
std::string members_json(const Plan& plan, const SweepResult& result);

/// A job script for Slurm that runs the plan in tasks of about two hours, or in as many tasks as
/// there are shares; it continues after preemption and is requeued at the end of its time.
std::string job_script(const Plan& plan, const SweepSetting& setting, const std::string& file);

/// Seconds for all members one after another, estimated from some of them.
double estimated_seconds(const Plan& plan, const std::vector<std::size_t>& members);

/// Prints the number of members, an estimate of their time, and their names.
void print_dry_run(const Plan& plan, const std::vector<std::size_t>& members, Index jobs);

}  // namespace gihflow::cli
