#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ranks.hpp"
#include "gihflow/run/problem.hpp"
#include "population/shared.hpp"

namespace gihflow {

/// d, L and N of all chains, as in their hash.
struct ChainSizes {
  Index vocabulary = 0, length = 0, chains = 0;
};

/// A process's parts of the training or validation chains.
struct OwnObjective {
  std::unique_ptr<PartedObjective> objective;  ///< null without chains
  std::vector<std::uint64_t> hashes;           ///< of the process's chains
  Index first = 0;                             ///< the number of its first chain
  ChainSizes all;                              ///< chains of all processes
};

/// Makes the objective on the parts of process `rank` of `ranks`; lanes as for
/// make_tiled_objective.
OwnObjective own_objective(const Problem& problem, bool validation, int lanes, int rank, int ranks);

/// Sends the problem to the other processes. Throws InputError for an engine without parts.
void share_problem(Ranks& ranks, const Problem& problem);
/// The objective on the chains of all processes, and their hash. If `lanes` is 0 process 0 chooses
/// the engine.
std::unique_ptr<Objective> shared_objective(Ranks& ranks, const Problem& problem, bool validation,
                                            int lanes, std::string& hash);

}  // namespace gihflow
