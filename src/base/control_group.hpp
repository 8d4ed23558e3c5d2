#pragma once

#include <optional>
#include <string>

namespace gihflow {

/// What the control groups of a process allow it, each the least over its group and all groups
/// above. None where nothing is limited or control groups cannot be read.
struct ControlGroupLimits {
  std::optional<double> memory;  ///< bytes
  std::optional<double> cores;   ///< processor time per time, quota/period
};

/// Limits of the process whose /proc/PID/cgroup has the text `membership`, versions 1 and 2;
/// `root` is where the file systems of control groups are mounted, as a rule /sys/fs/cgroup.
ControlGroupLimits control_group_limits(const std::string& membership, const std::string& root);

/// Those of this process, read once.
const ControlGroupLimits& control_group_limits();

}  // namespace gihflow
