#pragma once

#include <optional>

#include "gihflow/run/sweep.hpp"

namespace gihflow {

/// As examine(), by the member's files alone: never running. What is damaged is begun, with why.
MemberStatus status_of_file(const Plan& plan, const Member& member, const SweepSetting& setting,
                            std::optional<RunFile>* run = nullptr);

}  // namespace gihflow
