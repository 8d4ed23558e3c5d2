#include "gihflow/base/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "base/control_group.hpp"

namespace gihflow {

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

std::size_t machine_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return unlimited;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
}

std::size_t group_memory() {
  const auto& limit = control_group_limits().memory;
  return limit && *limit < 0x1p63 ? static_cast<std::size_t>(*limit) : unlimited;
}

std::size_t process_memory() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  return limit.rlim_cur;
}

}  // namespace

std::size_t memory_limit() {
  return std::min({machine_memory(), group_memory(), process_memory()});
}

std::size_t resident_memory() {
  std::size_t all = 0, resident = 0;
  if (!(std::ifstream("/proc/self/statm") >> all >> resident)) return 0;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace gihflow
