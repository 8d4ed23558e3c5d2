#pragma once

#include <cstdint>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// Where a file's numbers come from, written into its root attributes.
struct Provenance {
  std::string program_version;
  std::string git_commit;
  std::string config;  ///< TOML that reproduces the file
  std::uint64_t seed = 0;

  bool operator==(const Provenance&) const = default;
};

/// Whether the file begins as HDF5 files do; false also for one that cannot be opened.
bool is_hdf5(const std::string& path);

/// Provenance of a file of any kind that this program wrote. Throws InputError where it is not
/// readable or does not say.
Provenance read_provenance(const std::string& path, Isolation isolation = Isolation::in_process);

}  // namespace gihflow
