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

/// How far the members of a share are: counts, time left with so many at a time, who failed.
std::string members_report(const Plan& plan, const SweepResult& result, Index jobs);
/// The same with every member, as JSON.
std::string members_json(const Plan& plan, const SweepResult& result);

/// A job script for Slurm that runs the plan in tasks of some hours, goes on after preemption, and
/// asks to be run again when its time is up.
std::string job_script(const Plan& plan, const SweepSetting& setting, const std::string& file);

/// Seconds that one member takes after another, by estimates of some of them.
double estimated_seconds(const Plan& plan, const std::vector<std::size_t>& members);

/// Prints the members and what they will take.
void print_dry_run(const Plan& plan, const std::vector<std::size_t>& members, Index jobs);

}  // namespace gihflow::cli
