#pragma once

#include <string>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Program version, for example "0.1.0".
std::string version();
/// Commit the program was built from, with "-dirty" if the tree had uncommitted changes; "unknown"
/// if it was built without git.
std::string git_commit();
/// Compiler with its version.
std::string compiler();
/// Compiler flags and build type.
std::string compiler_flags();
/// Instruction set of the hot loops that this machine will run: "avx512", "avx2" or "baseline".
std::string instruction_set();
/// Versions of the libraries that determine the numbers, one "name version" each, comma-separated.
std::string library_versions();

}  // namespace gihflow
