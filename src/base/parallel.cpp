#include "gihflow/base/parallel.hpp"

#include <omp.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/omp/execution_policy.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/context.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

std::atomic<std::uint64_t> helped{0};

// Whether this thread is inside a parallel loop, and as which of its workers.
thread_local bool inside = false;
thread_local int worker = 0;

class Inside {
 public:
  explicit Inside(int index) noexcept {
    inside = true;
    worker = index;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    inside = false;
    worker = 0;
  }
};

// One loop over blocks, shared by its workers. Blocks are handed out in increasing order: when a
// body throws, every earlier block has been begun, so stopping there cannot lose an earlier error.
class Loop {
 public:
  Loop(Index blocks, const std::function<void(Index)>& body)
      : blocks_(blocks), body_(body), context_(current_context()) {}

  // Takes blocks until there are none; whether it took any.
  bool work(int index) noexcept {
    const Inside mark(index);
    const ContextScope scope(context_);
    bool any = false;
    while (!failed_.load(std::memory_order_relaxed)) {
      const Index block = next_.fetch_add(1, std::memory_order_relaxed);
      if (block >= blocks_) break;
      any = true;
      try {
        body_(block);
      } catch (...) {
        keep(block, std::current_exception());
      }
    }
    return any;
  }

  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void keep(Index block, std::exception_ptr error) noexcept {
    const std::lock_guard guard(mutex_);
    if (!failure_ || block < first_failure_) {
      first_failure_ = block;
      failure_ = std::move(error);
    }
    failed_.store(true, std::memory_order_relaxed);
  }

  Index blocks_;
  const std::function<void(Index)>& body_;
  const Context context_;
  std::atomic<Index> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Index first_failure_ = 0;
  std::exception_ptr failure_;
};

// How long a thread that waits stays awake: longer than the gap between two gradients, much shorter
// than the turn of another process on its core.
constexpr auto patience = std::chrono::microseconds(50);

// Waits until value is no longer `from`.
void wait_while_equal(const std::atomic<unsigned>& value, unsigned from) {
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 32; ++i) {
      if (value.load() != from) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(from);
}

// The workers beside the calling thread: one lasting Thrust loop over OpenMP's threads, each of
// which waits for loops to share. Unlike a parallel region of its own for each loop, which ends
// when every thread has come, a loop is over when its blocks are done: where other processes keep a
// core busy, a worker that gets no turn is not waited for.
class Team {
 public:
  // Never destroyed: its threads end with the process.
  static Team& only() {
    static Team& team = *new Team;
    return team;
  }

  // Does the loop's blocks on the calling thread and up to `helpers` workers.
  void run(Loop& loop, int helpers) {
    const std::unique_lock one_loop(busy_, std::try_to_lock);
    if (!one_loop) {  // another thread of the program has the workers
      loop.work(0);
      return;
    }
    if (helpers > workers_) hire(helpers);
    helpers_.store(helpers);
    loop_.store(&loop);
    round_.fetch_add(1);
    round_.notify_all();
    loop.work(0);
    loop_.store(nullptr);
    // Who enters from here on finds no loop; the others still have blocks in hand.
    while (const unsigned n = entered_.load()) wait_while_equal(entered_, n);
  }

 private:
  struct Worker {
    Team* team;
    int first;
    void operator()(int index) const { team->serve(first + index); }
  };

  void hire(int helpers) {
    const int first = workers_ + 1, count = helpers - workers_;
    std::thread([this, first, count] {
      omp_set_num_threads(count);
      const thrust::counting_iterator<int> begin(0);
      thrust::for_each(thrust::omp::par, begin, begin + count, Worker{this, first});
    }).detach();
    workers_ = helpers;
  }

  [[noreturn]] void serve(int index) {
    for (unsigned round = 0;;) {
      wait_while_equal(round_, round);
      round = round_.load();
      entered_.fetch_add(1);
      Loop* loop = loop_.load();
      if (loop && index <= helpers_.load() && loop->work(index)) helped.fetch_add(1);
      if (entered_.fetch_sub(1) == 1) entered_.notify_all();
    }
  }

  std::mutex busy_;
  int workers_ = 0;
  std::atomic<int> helpers_{0};
  std::atomic<Loop*> loop_{nullptr};
  std::atomic<unsigned> round_{0}, entered_{0};
};

}  // namespace

int thread_index() noexcept {
  return worker;
}

std::uint64_t helped_loops() noexcept {
  return helped.load();
}

void parallel_blocks(Index blocks, const std::function<void(Index)>& body) {
  if (blocks <= 0) return;
  const int team = inside ? 1 : static_cast<int>(std::min<Index>(blocks, threads()));
  if (team == 1) {
    for (Index block = 0; block < blocks; ++block) body(block);
    return;
  }
  Loop loop(blocks, body);
  Team::only().run(loop, team - 1);
  loop.rethrow_failure();
}

void parallel_ranges(Index count, Index size, const std::function<void(Index, Index)>& body) {
  if (count <= 0) return;
  if (size < 1) throw InputError("block size " + std::to_string(size) + ": must be at least 1");
  parallel_blocks((count + size - 1) / size, [&](Index block) {
    const Index begin = block * size;
    body(begin, std::min(count, begin + size));
  });
}

}  // namespace gihflow
