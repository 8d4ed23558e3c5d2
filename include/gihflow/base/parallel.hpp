#pragma once

#include <functional>

#include "gihflow/base/context.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Calls body(b) once for every block b in [0, blocks), on the threads of the caller's Context, or
/// fewer where the system refuses them. The caller fixes the blocks independently of the number of
/// threads: if body(b) writes only what belongs to block b and the caller combines the blocks in
/// order, results are bitwise the same for any number of threads. The calling thread works too, and
/// returns when all blocks are done; workers that the system has not scheduled are not awaited. A
/// loop inside a body runs serially on the body's thread. In a process forked from one with workers
/// all loops run serially. If bodies throw, later blocks may be skipped, and the exception of the
/// failing block with the smallest number is rethrown after the loop. Throws Interrupted under a
/// GivingUp.
void parallel_blocks(Index blocks, const std::function<void(Index)>& body);

/// Cuts [0, count) into blocks of `size` ≥ 1 (the last one may be shorter) and calls body(begin,
/// end) for each, as parallel_blocks does. Throws InputError for size < 1.
void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body);

}  // namespace gihflow
