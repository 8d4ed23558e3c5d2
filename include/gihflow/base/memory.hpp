#pragma once

#include <cstddef>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Most memory that this process can use, in bytes: the least of the machine's memory, the limit of
/// its control groups and RLIMIT_AS. Estimated sizes are compared with it before anything is
/// allocated.
std::size_t memory_limit();

/// Resident memory of this process now, in bytes; 0 where the system does not report it.
std::size_t resident_memory();

}  // namespace gihflow
