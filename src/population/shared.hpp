#pragma once

// An objective whose parts (5.2) are divided among processes. Process 0 broadcasts a request, every
// process evaluates its own parts, and process 0 adds up the results in the tree of (5.2), so that
// the sum has the bits that one process alone would compute.

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
/// The chains of the parts of process `rank` of `ranks`; perhaps none, but for process 0.
ChainRange chains_of_rank(const Parts& parts, int rank, int ranks);

/// The kind of a request, its first byte.
enum class Request : char { problem, build, gradient, batch, moments, forget, end };

/// Process 0: broadcasts a request, calls `own` for its own part of the work, and returns the
/// answers of the other processes in order. Exceptions are thrown after all have answered: that of
/// `own`, else InputError with the message of the first process that failed.
std::vector<std::string> ask(Ranks& ranks, std::string request, const std::function<void()>& own);
/// Any other process: sends the answer that `own` packs, or the message of the exception that it
/// throws.
void answer(Ranks& ranks, const std::function<void(Packer&)>& own);

/// The objective of process 0 on the parts of all processes; `own` are its own. `number` identifies
/// the objective in requests.
std::unique_ptr<Objective> make_shared_objective(Ranks& ranks, Index number, Index chains,
                                                 std::unique_ptr<PartedObjective> own);
/// Packs the answer of any other process to a request for gradients or moments. Its own parts are
/// added up as far as the tree over all parts needs no others for it, so that of k parts at most
/// 2 log2(k) + 1 sums are sent. `own` is null if the process has no chains; `first` is the number
/// of its first chain; `chains` is the number of chains of all processes.
void answer_with(const PartedObjective* own, Index first, Index chains, Request request,
                 Unpacker& asked, Packer& packer);

}  // namespace gihflow
