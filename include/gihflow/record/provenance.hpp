#pragma once

#include <cstdint>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// Origin of a file's numbers, written into its root attributes.
struct Provenance {
  std::string program_version;
  std::string git_commit;
  std::string config;  ///< TOML that reproduces the file
  std::uint64_t seed = 0;

  bool operator==(const Provenance&) const = default;
};

/// Whether the file begins with the HDF5 signature; false if it cannot be opened.
bool is_hdf5(const std::string& path);

/// Provenance of any file that this program wrote. Throws InputError if it cannot be read or has
/// none.
Provenance read_provenance(const std::string& path, Isolation isolation = Isolation::in_process);

}  // namespace gihflow
