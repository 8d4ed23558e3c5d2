#include "base/unused_name.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace gihflow {

bool is_unused(const std::string& path) {
  return !std::filesystem::exists(std::filesystem::symlink_status(path));
}

bool rename_to_unused(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // On file systems without RENAME_NOREPLACE, checks and renames in two steps.
  if (is_unused(to)) return std::rename(from.c_str(), to.c_str()) == 0;
  errno = EEXIST;
  return false;
}

}  // namespace gihflow
