#pragma once

#include <optional>
#include <string>

namespace gihflow {

/// Limits of a process by its control groups, each the least over its group and all groups above;
/// nullopt if there is no limit or it cannot be read.
struct ControlGroupLimits {
  std::optional<double> memory;  ///< bytes
  std::optional<double> cores;   ///< number of processors, quota/period
};

/// Limits for the text `membership` of a /proc/PID/cgroup, control groups of version 1 or 2; `root`
/// is where their file systems are mounted, usually /sys/fs/cgroup.
ControlGroupLimits control_group_limits(const std::string& membership, const std::string& root);

/// The limits of this process, read once.
const ControlGroupLimits& control_group_limits();

}  // namespace gihflow
