#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/sweep_plan.hpp"

namespace GIHFLOW_API gihflow {

/// State of a member of a sweep.
enum class MemberState {
  left,     ///< it has no file
  begun,    ///< its file has a checkpoint to continue from, or cannot be read
  running,  ///< a process is running it
  done,     ///< its run has ended and has the plan's setting
  failed    ///< numerical failure, which is final; or its process failed: the next call repeats it
};
/// Its name in `sweep --status`.
std::string to_string(MemberState state);

/// State of a member and its file.
struct MemberStatus {
  MemberState state = MemberState::left;
  Outcome outcome = Outcome::running;  ///< of the run in its file
  std::string why = {};                ///< why it failed or its file cannot be read; else empty
  double seconds = 0.0;                ///< wall time of the run in its file
};

/// The path of a member's run file.
std::string path_of(const Member& member, const std::string& directory);
/// The path of a member's log: the messages of its last process, if that one failed. DIR/NAME.log;
/// DIR/NAME.log2 and so on where a file has that name that is not a log.
std::string log_of(const Member& member, const std::string& directory);

/// Reads the file of a member and compares it with the plan. `run`, if not null, receives the run,
/// ended or not; nullopt if the file cannot be read. Throws InputError if the file has another
/// setting.
MemberStatus examine(const Plan& plan, const Member& member, const SweepSetting& setting,
                     std::optional<RunFile>* run = nullptr);

/// The members of a share, all without one, as indices of plan.members.
std::vector<std::size_t> members_of(const Plan& plan, const std::optional<Shard>& shard);

/// The share of this task of a Slurm array, from SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT;
/// nullopt outside of one. Throws InputError if the tasks are not evenly spaced.
std::optional<Shard> slurm_shard();

/// Progress of a share of a sweep.
struct SweepProgress {
  std::size_t members = 0;  ///< of the share
  std::size_t done = 0, failed = 0, running = 0;
  std::optional<double> seconds_left;  ///< estimated from the members that this call has run
  /// Members that are not done, failed or running.
  std::size_t left() const { return members - done - failed - running; }
};

/// Follows a sweep, on the thread that made the call.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  /// A note for the user.
  virtual void note(const Phrase& /*text*/) {}
  /// Called several times a second by sweep(), after each batch of members by collect().
  virtual void progress(const SweepProgress& /*progress*/) {}
};

/// Result of a share of a sweep.
struct SweepResult {
  std::vector<std::size_t> members;    ///< of the share, as indices of plan.members
  std::vector<MemberStatus> statuses;  ///< one per member
  std::size_t run = 0;                 ///< processes that this call started
  bool interrupted = false;
  /// 130: interrupted; else 3: some failed; else 5: some stopped at a limit; else 0.
  int exit_code() const;
};

/// Runs those members of the share that are not done, as processes of the program, `jobs` at a
/// time; each writes DIR/NAME.h5 or continues it. Other calls may run over the same directory at
/// the same time: a member is run by only one of them, and each call returns when all members of
/// its share are done, have failed or have stopped at a limit. A member that fails does not stop
/// the others; its messages are kept in its log, see log_of. A file that cannot be read is moved
/// to DIR/NAME.damaged (.damaged2 and so on if that exists) and the member is run again. An
/// interrupt ends all members with a checkpoint.
///
/// Throws InputError before anything is written, see check_plan and examine; WriteError if the
/// directory cannot be written to.
SweepResult sweep(const Plan& plan, const SweepSetting& setting, SweepObserver* observer = nullptr);

/// The states of the members of a share; runs none. Throws InputError.
SweepResult sweep_status(const Plan& plan, const SweepSetting& setting);

}  // namespace gihflow
