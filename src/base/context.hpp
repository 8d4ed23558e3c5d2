#pragma once

#include "gihflow/base/context.hpp"

namespace gihflow {

/// The context of the calling thread. Workers of a parallel loop take over that of its caller.
Context& current_context() noexcept;

}  // namespace gihflow
