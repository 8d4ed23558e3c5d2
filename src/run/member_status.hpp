#pragma once

#include <optional>

#include "gihflow/run/sweep.hpp"

namespace gihflow {

/// examine() from the member's files only: the state is never `running`, and `begun` with the
/// reason for a damaged file.
MemberStatus status_of_file(const Plan& plan, const Member& member, const SweepSetting& setting,
                            std::optional<RunFile>* run = nullptr);

}  // namespace gihflow
