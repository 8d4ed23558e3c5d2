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

/// The engine on sufficient statistics; lanes 8 (dense), 1 (sparse), 0 (whichever is cheaper). The
/// hot loops run in the version for `set`, by default the machine's best; another size of parts
/// than (5.2) is for tests. Means are over `of` chains, those of the source where 0: it may hold
/// whole parts of more.
std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model,
                                                      const SequenceSource& source, int lanes,
                                                      const std::string& set = instruction_set(),
                                                      Index part_size = chains_of_part,
                                                      Index of = 0);

struct Statistics;
std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model, const Statistics& counted,
                                                      int lanes,
                                                      const std::string& set = instruction_set());

/// Bytes that they take at most, see objective_memory().
MemoryBound tiled_memory(const Model& model, Index chains, Index length, int lanes);
MemoryBound reference_memory(const Model& model, Index chains, Index length);

/// The CUDA engine; throws InputError with a cuda_fault(), or where the statistics do not fit the
/// card. engine: dense, sparse, or automatic for whichever is cheaper.
std::unique_ptr<PartedObjective> make_cuda_objective(const Model& model,
                                                     const SequenceSource& source, Engine engine,
                                                     Index part_size = chains_of_card_part,
                                                     Index of = 0);
/// Takes a card for this process, card `number` modulo their count, and returns the UUID of the
/// card. Throws InputError with a cuda_fault().
std::string take_card(int number);

/// The kernels of consecutive chains.
Kernels some_kernels(const Kernels& all, Index first, Index count);
/// The objective in infinite context on the host, hot loops in the version for `set`.
std::unique_ptr<PartedObjective> make_host_infinite_objective(
    const Model& model, const Kernels& kernels, const std::string& set = instruction_set(),
    Index part_size = chains_of_part, Index of = 0);
/// The same on the card.
std::unique_ptr<PartedObjective> make_cuda_infinite_objective(const Model& model,
                                                              const Kernels& kernels,
                                                              Index part_size = chains_of_card_part,
                                                              Index of = 0);

/// The slow oracle; keeps the tokens.
std::unique_ptr<Objective> make_reference_objective(const Model& model,
                                                    const SequenceSource& source);

/// The derivative along a direction of the loss with that gradient.
double slope_along(const Gradient& gradient, const Point& along);

/// Throws InputError where a point or a direction has other arrays, or of other sizes, than a
/// model.
void require_arrays(const Model& model, const Point& at);

/// Numbers of a chain's row: loss, ∂ℓ/∂c [subsets], the derivatives in the plain blocks.
Index row_size(const Model& model);
/// A chain's own loss and gradient as a row.
void write_row(const Parameters& at, const Gradient& of_chain, double* row);
/// Standard errors from the rows of all chains.
StandardErrors errors_of_rows(const std::vector<double>& rows, const Model& model);

}  // namespace gihflow
