#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ranks.hpp"
#include "gihflow/run/problem.hpp"
#include "population/shared.hpp"

namespace gihflow {

/// Of all chains: d, L and N as their hash takes them.
struct ChainSizes {
  Index vocabulary = 0, length = 0, chains = 0;
};

/// A process's parts of the training or validation chains.
struct OwnObjective {
  std::unique_ptr<PartedObjective> objective;  ///< null without chains
  std::vector<std::uint64_t> hashes;           ///< of its chains
  Index first = 0;                             ///< the number of its first chain
  ChainSizes all;                              ///< of all processes
};

/// Draws and counts the chains of the parts of process `rank` of so many; lanes as for
/// make_tiled_objective.
OwnObjective own_objective(const Problem& problem, bool validation, int lanes, int rank, int ranks);

/// Tells the other processes the problem. Throws InputError where an engine has no parts.
void share_problem(Ranks& ranks, const Problem& problem);
/// The objective on the chains of all processes, and the hash of these. The first one chooses the
/// engine if `lanes` is 0.
std::unique_ptr<Objective> shared_objective(Ranks& ranks, const Problem& problem, bool validation,
                                            int lanes, std::string& hash);

}  // namespace gihflow
