#pragma once

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Where a file is parsed. HDF5 may crash on a damaged file; in a child process, a fork of this
/// one, that is one more fault of the file. A program that has threads of its own inside HDF5, or
/// collects all its children itself, must read in process, files that it trusts.
enum class Isolation { in_process, child };

}  // namespace gihflow
