#include "gihflow/base/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>

namespace gihflow {

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

std::size_t machine_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return unlimited;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
}

// The limit of the root control group that a container sees; "max" where there is none.
std::size_t group_memory() {
  for (const char* path : {"/sys/fs/cgroup/memory.max",                       // version 2
                           "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {  // version 1
    std::uint64_t bytes = 0;
    if (std::ifstream(path) >> bytes) return bytes;
  }
  return unlimited;
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

}  // namespace gihflow
