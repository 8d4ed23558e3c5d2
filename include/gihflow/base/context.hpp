#pragma once

#include <atomic>
#include <optional>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Asks work to end early. Every member may be called from any thread and from a signal handler.
class Interrupt {
 public:
  /// Asks for the end of work.
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  /// Forgets earlier requests.
  void clear() noexcept { requested_.store(false, std::memory_order_relaxed); }
  /// Whether it was asked for.
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers take no lock");
};

/// With what a thread works. A field without a value is as in the context around.
struct Context {
  /// Threads of parallel loops, 1 … 1,024; may exceed the number of cores. Outermost: what the
  /// process may use, the least of its processor affinity, the quota of its control groups,
  /// SLURM_CPUS_PER_TASK and OMP_NUM_THREADS.
  std::optional<int> threads = std::nullopt;
  /// Ends long work between two steps. Outermost: none. Must live as long as the scope.
  const Interrupt* interrupt = nullptr;
};

/// The context of all that the calling thread does while this object lives, down to the bodies of
/// its parallel loops. Scopes nest; each thread of a program has its own, so that two trainings in
/// two threads neither stop nor slow each other.
class ContextScope {
 public:
  /// Throws InputError for a number of threads out of range.
  explicit ContextScope(const Context& context);
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
  ~ContextScope();

 private:
  Context before_;
};

/// Number of threads in the calling thread's context.
int threads() noexcept;

/// Whether an interrupt was requested in the calling thread's context. Long loops ask between two
/// steps and end cleanly.
bool interrupt_requested() noexcept;

}  // namespace gihflow
