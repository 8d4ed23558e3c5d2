#include "gihflow/base/interrupt.hpp"

#include <atomic>

namespace gihflow {

namespace {

// Lock-free, hence usable in a signal handler and seen by every thread.
std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

bool interrupt_requested() noexcept {
  return requested.load(std::memory_order_relaxed);
}

void request_interrupt() noexcept {
  requested.store(true, std::memory_order_relaxed);
}

void clear_interrupt() noexcept {
  requested.store(false, std::memory_order_relaxed);
}

}  // namespace gihflow
