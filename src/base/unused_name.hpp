#pragma once

#include <fmt/format.h>

#include <string>

namespace gihflow {

/// The first of NAME, NAME2, NAME3, … that `accepts` takes.
template <class Accepts>
std::string first_name(const std::string& name, Accepts accepts) {
  std::string numbered = name;
  for (int number = 2; !accepts(numbered); ++number) numbered = fmt::format("{}{}", name, number);
  return numbered;
}

/// Whether no file, directory or symbolic link has this name.
bool is_unused(const std::string& path);

/// Renames a file, but replaces none: false, with errno EEXIST, if `to` is in use; false, with
/// another errno, if renaming fails.
bool rename_to_unused(const std::string& from, const std::string& to);

}  // namespace gihflow
