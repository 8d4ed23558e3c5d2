#pragma once

#include <cstddef>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Memory that this process could use at most, in bytes: the machine's, or less where a control
/// group or a resource limit says so. Sizes are compared with it before anything is allocated.
std::size_t memory_limit();

/// Memory that this process holds now, in bytes; 0 where the system does not say.
std::size_t resident_memory();

}  // namespace gihflow
