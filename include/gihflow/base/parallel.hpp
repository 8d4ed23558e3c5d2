#pragma once

#include <cstdint>
#include <functional>

#include "gihflow/base/context.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Which thread of the running parallel loop the caller is, in [0, threads()), the outer loop's
/// where loops are nested; 0 outside of one. For scratch memory and tests; results must not depend
/// on it.
int thread_index() noexcept;

/// How often so far a worker beside the calling thread has done blocks of a loop. For tests and
/// benchmarks which claim that several threads worked.
std::uint64_t helped_loops() noexcept;

/// Calls body(b) once for every block b in [0, blocks), on all threads. Blocks are fixed by the
/// caller and know nothing of threads: as long as body(b) writes only what belongs to block b and
/// the caller combines blocks in their order, results are bitwise the same for any number of
/// threads. Threads take the next block when they are done with one, in increasing order; one that
/// gets no turn, on a busy machine, is not waited for. A loop
/// inside a body runs serially on the body's thread. If bodies throw, later blocks may be left out
/// and the exception of the first failing block in order is rethrown after the loop.
void parallel_blocks(Index blocks, const std::function<void(Index)>& body);

/// Cuts [0, count) into blocks of `size` ≥ 1 (the last one shorter) and calls body(begin, end) for
/// each, as parallel_blocks does.
void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body);

}  // namespace gihflow
