#pragma once

#include <string>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Name and version of the library that reads and writes files, "HDF5 1.10.8".
std::string file_library();

}  // namespace gihflow
