#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/version.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/objective.hpp"
#include "population/parts.hpp"

namespace gihflow {

/// The engine on sufficient statistics (§4) on the CPU. lanes: 8 (dense), 1 (sparse) or 0
/// (whichever is cheaper). set: version of the hot loops, by default the machine's best. A
/// part_size other than that of (5.2) is for tests. of: number of chains that means are over, where
/// the source holds only some of the parts of an objective; 0: all chains of the source.
std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model,
                                                      const SequenceSource& source, int lanes,
                                                      const std::string& set = instruction_set(),
                                                      Index part_size = chains_of_part,
                                                      Index of = 0);

struct Statistics;
/// The same from sequences that have been counted.
std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model, const Statistics& counted,
                                                      int lanes,
                                                      const std::string& set = instruction_set());

/// Upper bounds in bytes of what these engines take, see objective_memory().
MemoryBound tiled_memory(const Model& model, Index chains, Index length, int lanes);
MemoryBound reference_memory(const Model& model, Index chains, Index length);

/// The engine on sufficient statistics on a CUDA card. engine: dense, sparse, or automatic for
/// whichever is cheaper. Throws InputError: there is a cuda_fault(); require_card() refuses the
/// model; the statistics do not fit the card.
std::unique_ptr<PartedObjective> make_cuda_objective(const Model& model,
                                                     const SequenceSource& source, Engine engine,
                                                     Index part_size = chains_of_card_part,
                                                     Index of = 0);
/// Takes a card for this process, card `number` modulo their count, and returns the UUID of the
/// card. Throws InputError with a cuda_fault().
std::string take_card(int number);

/// The kernels of `count` chains from `first` on.
Kernels some_kernels(const Kernels& all, Index first, Index count);
/// The objective in infinite context (5.1) on the CPU; set, part_size and `of` as above.
std::unique_ptr<PartedObjective> make_host_infinite_objective(
    const Model& model, const Kernels& kernels, const std::string& set = instruction_set(),
    Index part_size = chains_of_part, Index of = 0);
/// The same on the card.
std::unique_ptr<PartedObjective> make_cuda_infinite_objective(const Model& model,
                                                              const Kernels& kernels,
                                                              Index part_size = chains_of_card_part,
                                                              Index of = 0);

/// The objective straight from its definition, position by position: slow, and what every engine is
/// compared with. Keeps the tokens.
std::unique_ptr<Objective> make_reference_objective(const Model& model,
                                                    const SequenceSource& source);

/// The derivative of the loss along a direction: inner product of its gradient and the direction.
double slope_along(const Gradient& gradient, const Point& along);

/// Throws InputError that names every array of a point or a direction whose size is not the
/// model's.
void require_arrays(const Model& model, const Point& at);

/// Numbers of a chain's row: loss ℓ, ∂ℓ/∂c [subsets], the derivatives in the plain blocks.
Index row_size(const Model& model);
/// A chain's own loss and gradient as a row.
void write_row(const Parameters& at, const Gradient& of_chain, double* row);
/// Standard errors from the rows of all chains.
StandardErrors errors_of_rows(const std::vector<double>& rows, const Model& model);

}  // namespace gihflow
