#pragma once

#include <memory>

#include "base/ranks.hpp"

namespace gihflow::cli {

/// The processes of the MPI job that this one belongs to; null if it is the only one, or if the
/// program was built without MPI.
std::unique_ptr<Ranks> mpi_ranks();

}  // namespace gihflow::cli
