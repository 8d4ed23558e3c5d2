#pragma once

#include <memory>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/config.hpp"

namespace GIHFLOW_API gihflow {

/// A run file that training goes on from, locked since before it was read, or that is audited.
struct Resumption {
  std::string path;
  std::unique_ptr<OutputFile> file;  ///< null where nothing will be written
  RunFile run;
};

/// The setting that the config of a run describes. Throws InputError, also where the file
/// contradicts it.
Setting setting_of_run(const RunFile& run, const std::string& path);

/// Those of the chains that a caller holds which stand for a file of the setting of a run.
Inputs in_place_of_files(const Setting& run, const Inputs& held);

/// Whether a run has come to an end that no further step can change: the end of its schedule or a
/// numerical failure.
bool has_ended(Outcome outcome);

/// Why a run of this setting could not go on from `state`: continuation_errors of its method.
ErrorList state_faults(const TrainingState& state, const Setting& setting);

/// Why nothing is left to do for a run that is resumed with this limit on steps, as a sentence: it
/// has ended, or it has taken all steps that it may. Empty where there is something left.
std::string nothing_left(const RunFile& run, Index max_steps, const std::string& path);

/// The setting in which the run `asked.setting.resume` goes on in place, in its file or, if
/// `asked.resumed` holds it, in memory: that of the file's config,
/// with options that cannot change a bit (threads, limits, output of messages) as asked, and a new
/// limit on steps if one was asked for.
///
/// Throws InputError with the faults in `asked` and its own: a file that is no run file, is damaged
/// or is being written by another process; an option that differs from the file's config; a state
/// that does not fit it; unless the run has ended or `force` was given, another version or commit
/// of the program.
Assembled assemble_resumption(const Assembled& asked);

/// The setting in which a run is computed again, on the chain files that `asked` gives in place of
/// the run's; nothing is written. Notes tell of another version, compiler or machine. Throws
/// InputError as above.
Assembled assemble_audit(std::shared_ptr<const Resumption> audited, const AuditSetting& asked);

}  // namespace gihflow
