#pragma once

#include <optional>

#include "gihflow/run/sweep.hpp"

namespace gihflow {

/// examine() from the member's files only, whether or not a process is running it: the state is
/// never `running`. A file that cannot be read gives `begun`, and `why`.
MemberStatus status_of_file(const Plan& plan, const Member& member, const SweepSetting& setting,
                            std::optional<RunFile>* run = nullptr);

}  // namespace gihflow
