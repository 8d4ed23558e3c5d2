#pragma once

#include <memory>

#include "base/ranks.hpp"

namespace gihflow::cli {

/// The processes that MPI started this one among; null where it is alone, or the program was built
/// without MPI.
std::unique_ptr<Ranks> mpi_ranks();

}  // namespace gihflow::cli
