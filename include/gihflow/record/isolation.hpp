#pragma once

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Where a file is parsed. HDF5 may crash on a damaged file. In a child process, a fork of this
/// one, a crash becomes a fault of the file. A program that calls HDF5 on other threads, or that
/// waits for all its child processes itself, must use in_process, for files that it trusts.
enum class Isolation { in_process, child };

}  // namespace gihflow
