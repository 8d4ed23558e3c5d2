#include "gihflow/base/parallel.hpp"

#include <omp.h>
#include <sched.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/omp/execution_policy.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr int most_threads = 1024;

int cores_of_process() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int> wanted_threads{0};  // 0: not set, every core

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
  Loop(Index blocks, const std::function<void(Index)>& body) : blocks_(blocks), body_(body) {}

  void work(int index) noexcept {
    const Inside mark(index);
    while (!failed_.load(std::memory_order_relaxed)) {
      const Index block = next_.fetch_add(1, std::memory_order_relaxed);
      if (block >= blocks_) return;
      try {
        body_(block);
      } catch (...) {
        keep(block, std::current_exception());
      }
    }
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
  std::atomic<Index> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Index first_failure_ = 0;
  std::exception_ptr failure_;
};

struct Work {
  Loop* loop;
  void operator()(int index) const { loop->work(index); }
};

}  // namespace

void set_threads(int count) {
  if (count < 1 || count > most_threads) {
    throw InputError("threads " + std::to_string(count) + ": must be between 1 and " +
                     std::to_string(most_threads));
  }
  wanted_threads.store(count, std::memory_order_relaxed);
}

int threads() noexcept {
  const int wanted = wanted_threads.load(std::memory_order_relaxed);
  if (wanted > 0) return wanted;
  static const int cores = cores_of_process();
  return cores;
}

int thread_index() noexcept {
  return worker;
}

void parallel_blocks(Index blocks, const std::function<void(Index)>& body) {
  if (blocks <= 0) return;
  const int team = inside ? 1 : static_cast<int>(std::min<Index>(blocks, threads()));
  if (team == 1) {
    for (Index block = 0; block < blocks; ++block) body(block);
    return;
  }
  Loop loop(blocks, body);
  const int before = omp_get_max_threads();
  omp_set_num_threads(team);
  const thrust::counting_iterator<int> first(0);
  thrust::for_each(thrust::omp::par, first, first + team, Work{&loop});
  omp_set_num_threads(before);
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
