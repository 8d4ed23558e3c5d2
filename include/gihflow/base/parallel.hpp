#pragma once

#include <functional>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Number of threads that parallel loops use; the default is every core the process may run on.
/// More than there are cores is allowed; fewer than one throws InputError.
void set_threads(int threads);
int threads() noexcept;

/// Calls body(b) once for every block b in [0, blocks), on all threads. Blocks are fixed by the
/// caller and know nothing of threads: as long as body(b) writes only what belongs to block b and
/// the caller combines blocks in their order, results are bitwise the same for any number of
/// threads. If bodies throw, the exception of the first block in order is rethrown after the loop.
void parallel_blocks(Index blocks, const std::function<void(Index)>& body);

/// Cuts [0, count) into blocks of `size` (the last one shorter) and calls body(begin, end) for each.
void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body);

}  // namespace gihflow
