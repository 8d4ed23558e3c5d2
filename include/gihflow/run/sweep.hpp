#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/sweep_plan.hpp"

namespace GIHFLOW_API gihflow {

/// How far a member of a sweep is.
enum class MemberState {
  left,     ///< there is no file of it
  begun,    ///< its file has a checkpoint to go on from, or is damaged
  running,  ///< a process is at work on it
  done,     ///< its file is whole, of the plan's setting, and no step is left
  failed    ///< the same after a numerical failure; or its process failed, which is tried again
};
/// As `sweep --status` names it.
std::string to_string(MemberState state);

/// What is known of a member.
struct MemberStatus {
  MemberState state = MemberState::left;
  Outcome outcome = Outcome::running;  ///< of its file
  std::string why = {};                ///< it failed, or its file cannot be read; else empty
  double seconds = 0.0;                ///< of wall time, by its file
};

/// The path of a member's run file.
std::string path_of(const Member& member, const std::string& directory);
/// The path of what the last process of a member said that failed.
std::string log_of(const Member& member, const std::string& directory);

/// What is in the file of a member, read and compared with the plan. `run`, if not null, takes what
/// was read, where a file is whole. Throws InputError where the file is of another setting.
MemberStatus examine(const Plan& plan, const Member& member, const SweepSetting& setting,
                     std::optional<RunFile>* run = nullptr);

/// The members of a share, as indices of plan.members.
std::vector<std::size_t> members_of(const Plan& plan, const std::optional<Shard>& shard);

/// The share that the task of a Slurm array stands for, by SLURM_ARRAY_TASK_ID, _MIN, _STEP and
/// _COUNT; nothing outside of one. Throws InputError where the tasks are not evenly spaced.
std::optional<Shard> slurm_shard();

/// How far a share of a sweep is.
struct SweepProgress {
  std::size_t members = 0;  ///< of the share
  std::size_t done = 0, failed = 0, running = 0;
  std::optional<double> seconds_left;  ///< by the members that this call has run
  /// Members that are not done, have not failed and do not run.
  std::size_t left() const { return members - done - failed - running; }
};

/// Follows a sweep, on the thread that made the call.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  /// A remark that a user should see.
  virtual void note(const Phrase& /*text*/) {}
  /// Several times a second.
  virtual void progress(const SweepProgress& /*progress*/) {}
};

/// What has become of a share of a sweep.
struct SweepResult {
  std::vector<std::size_t> members;    ///< of the share, as indices of plan.members
  std::vector<MemberStatus> statuses;  ///< of each of them
  std::size_t run = 0;                 ///< processes that this call began
  bool interrupted = false;
  /// 0: all reached their end; 3: some failed; 5: some stopped at a limit; 130: interrupted.
  int exit_code() const;
};

/// Runs those members of the share that are not done, as processes of the program, `jobs` at a
/// time; each writes DIR/NAME.h5 or goes on from it. Other calls may run over the same directory at
/// the same time: a member is run by one of them, and each returns when all members of its share
/// have come to an end. A member that fails does not stop the others; its messages are kept in
/// DIR/NAME.log. A file that is damaged is moved to DIR/NAME.damaged and the member run anew. The
/// caller's Interrupt ends all members with a checkpoint.
///
/// Throws InputError before anything is written, see check_plan and examine; WriteError where the
/// directory cannot be written to.
SweepResult sweep(const Plan& plan, const SweepSetting& setting, SweepObserver* observer = nullptr);

/// Where the members of a share are, without running any. Throws InputError.
SweepResult sweep_status(const Plan& plan, const SweepSetting& setting);

}  // namespace gihflow
