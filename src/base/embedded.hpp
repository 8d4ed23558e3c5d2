#pragma once

#include <span>
#include <string_view>

namespace gihflow {

/// A file of the source tree that is compiled into the program by cmake/embed.cmake.
struct EmbeddedFile {
  std::string_view path;  ///< "experiments/three_stages/three_stages.toml"
  std::string_view text;
};

/// Config files that `gihflow example` lists and writes.
std::span<const EmbeddedFile> example_files();
/// Page, style and script of `gihflow report`.
std::span<const EmbeddedFile> page_files();

}  // namespace gihflow
