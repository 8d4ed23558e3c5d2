#pragma once

#include "gihflow/base/context.hpp"

namespace gihflow {

inline constexpr int most_threads = 1024;

/// The context of the calling thread. Workers of a parallel loop take over that of its caller.
Context& current_context() noexcept;

}  // namespace gihflow
