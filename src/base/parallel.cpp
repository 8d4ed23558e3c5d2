#include "base/parallel.hpp"

#include <pthread.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/tbb/execution_policy.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/context.hpp"
#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"

namespace gihflow {

namespace {

std::atomic<std::uint64_t> helped{0};
std::atomic<bool> workers_lost{false};  // this process was forked from one with workers
thread_local bool inside = false;       // the thread runs a body
thread_local bool giving_up = false;    // it is in a GivingUp

void give_up_if_asked(bool may) {
  if (may && interrupt_requested()) throw Interrupted();
}

class Inside {
 public:
  explicit Inside(const Context& context) : scope_(context) { inside = true; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { inside = false; }

 private:
  ContextScope scope_;
};

// The thread sanitizer does not see the synchronisation inside oneTBB: these calls tell it that
// writes before a release are visible after an acquire.
#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_release(void* address);
extern "C" void __tsan_acquire(void* address);
#define GIHFLOW_RELEASE(object) __tsan_release(&(object))
#define GIHFLOW_ACQUIRE(object) __tsan_acquire(&(object))
#else
#define GIHFLOW_RELEASE(object)
#define GIHFLOW_ACQUIRE(object)
#endif

// One loop over blocks. All blocks before the first one that failed are done, later ones may be
// skipped.
class Loop {
 public:
  Loop(Index blocks, const std::function<void(Index)>& body) : body_(body), failed_(blocks) {}

  void do_block(Index block) {
    GIHFLOW_ACQUIRE(begin_);
    if (block > failed_.load(std::memory_order_relaxed)) return;
    if (std::this_thread::get_id() != caller_) helped_.store(true, std::memory_order_relaxed);
    const Inside mark(context_);
    try {
      give_up_if_asked(gives_up_);
      body_(block);
    } catch (...) {
      const std::lock_guard guard(mutex_);
      if (block < failed_) {
        failed_ = block;
        failure_ = std::current_exception();
      }
    }
    GIHFLOW_RELEASE(end_);
  }

  void begin() { GIHFLOW_RELEASE(begin_); }
  void end() {
    GIHFLOW_ACQUIRE(end_);
    if (helped_) helped.fetch_add(1);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::function<void(Index)>& body_;
  const Context context_ = current_context();
  const bool gives_up_ = giving_up;
  const std::thread::id caller_ = std::this_thread::get_id();
  std::atomic<bool> helped_{false};
  std::atomic<Index> failed_;
  std::mutex mutex_;
  std::exception_ptr failure_;
  [[maybe_unused]] char begin_ = 0, end_ = 0;
};

// Number of threads, at most `wanted` and the caller's included, that the system can start now.
// oneTBB aborts the process if it gets fewer than it asks for.
int granted_threads(int wanted) {
  std::latch asked(1);
  std::vector<std::thread> threads;
  try {
    while (static_cast<int>(threads.size()) + 1 < wanted)
      threads.emplace_back([&asked] { asked.wait(); });
  } catch (const std::system_error&) {
  }
  asked.count_down();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size()) + 1;
}

// Keeps the workers that a forked process has lost reachable, so that leak checkers do not report
// them.
tbb::task_arena* volatile left_behind = nullptr;

struct Workers {
  int wanted = 0;
  std::unique_ptr<tbb::task_arena> arena;

  ~Workers() {
    // Not destroyed: oneTBB's locks may have been held when the process was forked.
    if (workers_lost) left_behind = arena.release();
  }
};

// The calling thread's workers, kept for its next loop; null if it has none.
tbb::task_arena* workers(int wanted) {
  thread_local Workers own;
  if (workers_lost) return nullptr;
  if (own.wanted != wanted) {
    [[maybe_unused]] static const int registered =
        pthread_atfork(nullptr, nullptr, [] { workers_lost = true; });
    const int threads = granted_threads(wanted);
    if (threads > tbb::info::default_concurrency()) {
      static const tbb::global_control beyond_cores(tbb::global_control::max_allowed_parallelism,
                                                    most_threads);
    }
    own.arena = threads > 1 ? std::make_unique<tbb::task_arena>(threads) : nullptr;
    own.wanted = wanted;
  }
  return own.arena.get();
}

}  // namespace

GivingUp::GivingUp() : before_(std::exchange(giving_up, true)) {}

GivingUp::~GivingUp() {
  giving_up = before_;
}

std::uint64_t helped_loops() noexcept {
  return helped.load();
}

void parallel_blocks(Index blocks, const std::function<void(Index)>& body) {
  if (blocks <= 0) return;
  const int wanted = inside ? 1 : static_cast<int>(std::min<Index>(blocks, threads()));
  tbb::task_arena* const arena = wanted > 1 ? workers(threads()) : nullptr;
  if (arena == nullptr) {
    for (Index block = 0; block < blocks; ++block) {
      give_up_if_asked(giving_up);
      body(block);
    }
    return;
  }
  Loop loop(blocks, body);
  loop.begin();
  arena->execute([&] {
    thrust::for_each_n(thrust::tbb::par, thrust::counting_iterator<Index>(0), blocks,
                       [&](Index block) { loop.do_block(block); });
  });
  loop.end();
}

void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body) {
  if (count <= 0) return;
  if (size < 1) throw InputError(fault("block size", size, "must be at least 1"));
  parallel_blocks((count + size - 1) / size, [&](Index block) {
    const Index begin = block * size;
    body(begin, std::min(count, begin + size));
  });
}

}  // namespace gihflow
