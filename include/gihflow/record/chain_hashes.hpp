#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// Hashes of the chains of a run; empty where it has none.
struct ChainHashes {
  std::string training;
  std::string validation;
};

/// Those in a run file; both empty in another file that this program wrote. Throws InputError if
/// the file cannot be read.
ChainHashes read_chain_hashes(const std::string& path, Isolation isolation = Isolation::in_process);

}  // namespace gihflow
