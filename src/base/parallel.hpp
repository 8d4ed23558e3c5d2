#pragma once

#include <cstdint>

#include "gihflow/base/parallel.hpp"

namespace gihflow {

/// How many parallel loops so far had a block that another thread than the caller's did. For tests
/// and benchmarks which claim that several threads worked.
std::uint64_t helped_loops() noexcept;

}  // namespace gihflow
