#pragma once

#include "base/ranks.hpp"

namespace gihflow {

/// What every process of a job but the first one does: holds its parts of the chains of the first
/// one's problems and answers for them, until that is told to end.
void serve(Ranks& ranks);

/// Ends it; of the first process.
void end_serving(Ranks& ranks);

}  // namespace gihflow
