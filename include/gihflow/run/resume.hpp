#pragma once

#include <memory>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/config.hpp"

namespace GIHFLOW_API gihflow {

/// A run to continue, whose file was locked before it was read, or a run to audit.
struct Resumption {
  std::string path;
  std::unique_ptr<OutputFile> file;  ///< null if nothing will be written
  RunFile run;
};

/// The setting in the config of a run. Throws InputError, also if the file contradicts the config.
Setting setting_of_run(const RunFile& run, const std::string& path);

/// The part of `held` that replaces files named in the setting of a run.
Inputs in_place_of_files(const Setting& run, const Inputs& held);

/// Whether a run cannot be continued: it reached the end of its schedule or failed numerically.
bool has_ended(Outcome outcome);

/// Why a run of this setting cannot continue from `state`: continuation_errors of its method.
ErrorList state_faults(const TrainingState& state, const Setting& setting);

/// A sentence on why nothing is left to do for a run resumed with this limit on steps: it has ended
/// or has taken all its steps. Empty if something is left.
std::string nothing_left(const RunFile& run, Index max_steps, const std::string& path);

/// The setting to continue the run `asked.setting.resume` in its file, or the run `asked.resumed`
/// in memory: that of its config, with options that change no bit (threads, limits, messages) from
/// `asked`, and a new limit on steps if one was given.
///
/// Throws InputError with the faults in `asked` and its own: a file that is no run file, is damaged
/// or is being written by another process; an option that differs from the file's config; a state
/// that does not fit it; another version or commit of the program, unless the run has ended or
/// `force` was given.
Assembled assemble_resumption(const Assembled& asked);

/// The setting to recompute a run, with chain files of `asked` in place of the run's; nothing is
/// written. Notes name another version, compiler or instruction set. Throws InputError as above.
Assembled assemble_audit(std::shared_ptr<const Resumption> audited, const AuditSetting& asked);

}  // namespace gihflow
