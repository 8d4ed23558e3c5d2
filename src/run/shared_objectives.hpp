#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ranks.hpp"
#include "gihflow/run/problem.hpp"
#include "population/shared.hpp"

namespace gihflow {

/// d, L (0 in infinite context) and N of all chains, as they enter the hash of the chains.
struct ChainSizes {
  Index vocabulary = 0, length = 0, chains = 0;
};

/// The part of an objective that one process computes.
struct OwnObjective {
  std::unique_ptr<PartedObjective> objective;  ///< null if the process has no chains
  std::vector<std::uint64_t> hashes;           ///< of its chains
  Index first = 0;                             ///< number of its first chain
  ChainSizes all;                              ///< of the chains of all processes
};

/// Makes the objective on the parts of process `rank` of `ranks` in infinite context; `all` are the
/// kernels of all processes. `card`: computed on the card that the process took by take_card().
OwnObjective own_objective(const Model& model, const Kernels& all, bool card, int rank, int ranks);
/// The same on sequences; lanes as for make_tiled_objective.
OwnObjective own_objective(const Model& model, const SequenceSource& all, bool card, int lanes,
                           int rank, int ranks);

/// Number of chains of this process, of `all` chains; on a card parts are larger.
Index chains_of_process(const Ranks& ranks, Index all, bool card);

/// Sends the problem to the other processes; on device cuda each process takes a card. Throws
/// InputError for the reference engine, which has no parts, and as check_cards().
void share_problem(Ranks& ranks, const Problem& problem);
/// Throws InputError if two processes have the same card; `taken` are the UUIDs of their cards.
void check_cards(const std::vector<std::string>& taken);
/// Lets the other processes build their parts with the engine of `own`, the part of process 0, and
/// returns the objective on the chains of all; sets `hash` to the hash of these chains.
std::unique_ptr<Objective> shared_objective(Ranks& ranks, OwnObjective own, bool validation,
                                            std::string& hash);

}  // namespace gihflow
