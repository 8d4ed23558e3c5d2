#pragma once

#include "base/ranks.hpp"

namespace gihflow {

/// Runs in every process of a job but process 0: draws its parts of the chains of the problems that
/// process 0 sends, and answers its requests for their sums. Returns after end_serving().
void serve(Ranks& ranks);

/// Called by process 0: lets serve() return in all other processes.
void end_serving(Ranks& ranks);

}  // namespace gihflow
