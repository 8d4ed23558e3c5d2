#pragma once

#include <cstdint>

#include "gihflow/base/parallel.hpp"

namespace gihflow {

/// Number of parallel loops so far in which another thread than the caller's did a block; tests and
/// benchmarks use it to check that several threads worked.
std::uint64_t helped_loops() noexcept;

}  // namespace gihflow
