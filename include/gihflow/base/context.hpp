#pragma once

#include <atomic>
#include <optional>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// A request that long work end early. Every member may be called from any thread and from a signal
/// handler.
class Interrupt {
 public:
  /// Requests the end.
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  /// Forgets earlier requests.
  void clear() noexcept { requested_.store(false, std::memory_order_relaxed); }
  /// Whether the end was requested and not cleared since.
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers take no lock");
};

/// Number of threads and interrupt for the work of one thread. A field without a value is taken
/// from the enclosing ContextScope.
struct Context {
  /// Threads of parallel loops, 1 … 1,024; may exceed the number of cores. Outside every scope:
  /// what the process may use, the least of its processor affinity, the quota of its control
  /// groups, SLURM_CPUS_PER_TASK and OMP_NUM_THREADS.
  std::optional<int> threads = std::nullopt;
  /// Ends long work between two steps. Outside every scope: none. Must live as long as the scope.
  const Interrupt* interrupt = nullptr;
};

/// Sets the Context of the calling thread, and of the bodies of its parallel loops, while this
/// object lives. Scopes nest. Each thread of a program has its own, so interrupting one training
/// does not stop another one in a second thread.
class ContextScope {
 public:
  /// Throws InputError for a number of threads outside 1 … 1,024.
  explicit ContextScope(const Context& context);
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
  ~ContextScope();

 private:
  Context before_;
};

/// Number of threads in the calling thread's context.
int threads() noexcept;

/// Whether an interrupt was requested in the calling thread's context. Long loops check it between
/// two steps and then end with a complete state.
bool interrupt_requested() noexcept;

}  // namespace gihflow
