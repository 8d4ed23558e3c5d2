#pragma once

#include <optional>
#include <string>

#include "gihflow/run/sweep.hpp"

namespace gihflow {

/// examine() from the member's files only, whether or not a process is running it: the state is
/// never `running`. A file that cannot be read gives `begun`, and `why`.
MemberStatus status_of_file(const Plan& plan, const Member& member, const SweepSetting& setting,
                            std::optional<RunFile>* run = nullptr);

/// Removes the member's log, if it has one.
void remove_log(const Member& member, const std::string& directory);

/// Writes a log of this text to a path from log_of; false on failure, also if the file exists.
bool write_log(const std::string& path, const std::string& text);

}  // namespace gihflow
