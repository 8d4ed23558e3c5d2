#include "gihflow/record/library.hpp"

#include <fmt/format.h>
#include <hdf5.h>

namespace gihflow {

std::string file_library() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("HDF5 {}.{}.{}", major, minor, release);
}

}  // namespace gihflow
