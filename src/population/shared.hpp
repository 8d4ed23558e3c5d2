#pragma once

// An objective whose parts (5.2) are held by several processes. The first one asks, the others
// answer with what their parts add; the sum is the first one's, in the tree, so its bits are those
// of one process.

#include <functional>
#include <memory>
#include <string>

#include "base/ranks.hpp"
#include "population/engines.hpp"
#include "population/message.hpp"

namespace gihflow {

/// Consecutive chains.
struct ChainRange {
  Index first, count;
};
/// The chains of the parts that a process holds; the first one has some.
ChainRange chains_of_rank(const Parts& parts, int rank, int ranks);

/// What requests begin with.
enum class Request : char { problem, build, gradient, batch, moments, forget, end };

/// Sends a request, does the first process's own share of it and returns the answers of the others,
/// in order. Throws InputError with the first sentence of those that could not; what `own` throws,
/// once all have answered.
std::vector<std::string> ask(Ranks& ranks, std::string request, const std::function<void()>& own);
/// Another process's side of it: sends what `own` packs, or the sentence of what it throws.
void answer(Ranks& ranks, const std::function<void(Packer&)>& own);

/// The objective of the first process, which holds `own`; `number` is the others' name of it.
std::unique_ptr<Objective> make_shared_objective(Ranks& ranks, Index number, Index chains,
                                                 std::unique_ptr<PartedObjective> own);
/// The answer of another process to a request for gradients or moments: the nodes of the tree over
/// the parts of so many `chains` that it has from its own, at most some 2 log2 of their number.
/// `own` is null where it holds no chains; `first` is the number of its first chain.
void answer_with(const PartedObjective* own, Index first, Index chains, Request request,
                 Unpacker& asked, Packer& packer);

}  // namespace gihflow
