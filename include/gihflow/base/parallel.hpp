#pragma once

#include <functional>

#include "gihflow/base/context.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Calls body(b) once for every block b in [0, blocks), on the threads of the caller's Context, or
/// fewer where the system refuses them. Blocks are fixed by the caller and know nothing of threads:
/// as long as body(b) writes only what belongs to block b and the caller combines blocks in their
/// order, results are bitwise the same for any number of threads. The calling thread works too, and
/// does not wait for a worker that gets no turn on a busy machine. A loop inside a body runs
/// serially on the body's thread, and so do all loops of a process that was forked from one which
/// had workers. If bodies throw, later blocks may be left out and the exception of the first
/// failing block in order is rethrown after the loop.
void parallel_blocks(Index blocks, const std::function<void(Index)>& body);

/// Cuts [0, count) into blocks of `size` ≥ 1 (the last one shorter) and calls body(begin, end) for
/// each, as parallel_blocks does.
void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body);

}  // namespace gihflow
