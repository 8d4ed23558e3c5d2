#include "base/control_group.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace gihflow {

namespace {

// The first number in a file; nullopt if it is "max", not positive or missing.
std::optional<double> number_in(const std::filesystem::path& file) {
  double value = 0.0;
  if (std::ifstream(file) >> value && value > 0.0) return value;
  return std::nullopt;
}

std::optional<double> cores_in(const std::filesystem::path& group) {
  double quota = 0.0, period = 0.0;
  if (std::ifstream(group / "cpu.max") >> quota >> period && period > 0.0) return quota / period;
  const auto old_quota = number_in(group / "cpu.cfs_quota_us");
  const auto old_period = number_in(group / "cpu.cfs_period_us");
  if (old_quota && old_period) return *old_quota / *old_period;
  return std::nullopt;
}

void lower(std::optional<double>& limit, const std::optional<double>& other) {
  if (other) limit = limit ? std::min(*limit, *other) : *other;
}

}  // namespace

ControlGroupLimits control_group_limits(const std::string& membership, const std::string& root) {
  ControlGroupLimits limits;
  std::istringstream lines(membership);
  // A line is NUMBER:CONTROLLERS:PATH, without controllers in version 2.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::filesystem::path top = std::filesystem::path(root) / controllers;
    std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();
    // In a container the path may be the host's, which is not visible there; the root of the mount
    // always is.
    for (bool more = true; more; group = group.parent_path()) {
      more = !group.empty();
      lower(limits.memory, number_in(top / group / "memory.max"));
      lower(limits.memory, number_in(top / group / "memory.limit_in_bytes"));
      lower(limits.cores, cores_in(top / group));
    }
  }
  return limits;
}

const ControlGroupLimits& control_group_limits() {
  static const ControlGroupLimits limits = [] {
    std::ifstream file("/proc/self/cgroup");
    const std::string membership{std::istreambuf_iterator<char>(file), {}};
    return control_group_limits(membership, "/sys/fs/cgroup");
  }();
  return limits;
}

}  // namespace gihflow
