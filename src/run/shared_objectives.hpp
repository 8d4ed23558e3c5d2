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

/// Makes the objective on the parts of process `rank` of `ranks`, in infinite context; `all` are
/// the kernels of all processes. `card`: on the card that the process has taken.
OwnObjective own_objective(const Model& model, const Kernels& all, bool card, int rank, int ranks);
/// The same on sequences; lanes as for make_tiled_objective.
OwnObjective own_objective(const Model& model, const SequenceSource& all, bool card, int lanes,
                           int rank, int ranks);

/// Sends the problem to the other processes. On cards each process takes one. Throws InputError for
/// an engine without parts, and as check_cards().
void share_problem(Ranks& ranks, const Problem& problem);
/// Throws InputError if two processes have the same card; `taken` are UUIDs.
void check_cards(const std::vector<std::string>& taken);
/// The objective on the chains of all processes, and their hash. `own` are those of process 0,
/// whose engine is that of all.
std::unique_ptr<Objective> shared_objective(Ranks& ranks, OwnObjective own, bool validation,
                                            std::string& hash);

}  // namespace gihflow
