#include "gihflow/base/parallel.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "support/threads.hpp"

using namespace gihflow;
using gihflow::testing::Threads;

namespace {

// How many threads met each other inside one parallel loop: everyone waits for all the others, so
// that no thread can do all of the work alone. Gives up after a minute.
int threads_that_met(int wanted) {
  std::atomic<int> met{0};
  std::mutex mutex;
  std::set<std::thread::id> seen;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  parallel_blocks(wanted, [&](Index) {
    {
      const std::lock_guard guard(mutex);
      seen.insert(std::this_thread::get_id());
    }
    ++met;
    while (met < wanted && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  return static_cast<int>(seen.size());
}

}  // namespace

TEST_CASE("every block is visited exactly once, whatever the number of threads") {
  for (const int count : {1, 2, 3, 7}) {
    const Threads use(count);
    for (const Index blocks : {0, 1, 2, 5, 64, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(blocks));
      parallel_blocks(blocks, [&](Index b) { ++visits[static_cast<std::size_t>(b)]; });
      for (const auto& n : visits) CHECK(n == 1);
    }
  }
}

TEST_CASE("all threads work, more than there are cores too") {
  for (const int count : {2, 5}) {
    const Threads use(count);
    CHECK(threads() == count);
    CHECK(threads_that_met(count) == count);
  }
}

TEST_CASE("blocks combined in order give the same bits for any number of threads") {
  const auto sum = [] {
    std::vector<double> partial(97);
    parallel_blocks(97, [&](Index b) {
      double s = 0.0;
      for (Index i = 0; i < 1000; ++i) s += std::sin(static_cast<double>(1000 * b + i));
      partial[static_cast<std::size_t>(b)] = s;
    });
    double total = 0.0;
    for (const double s : partial) total += s;
    return total;
  };
  const Threads one(1);
  const double expected = sum();
  for (const int count : {2, 3, 4}) {
    const Threads use(count);
    for (int repeat = 0; repeat < 5; ++repeat) CHECK(sum() == expected);
  }
}

TEST_CASE("the exception of the first failing block in order comes out") {
  for (const int count : {1, 2, 4}) {
    const Threads use(count);
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<std::atomic<bool>> begun(200);
      const auto loop = [&] {
        parallel_blocks(200, [&](Index b) {
          begun[static_cast<std::size_t>(b)] = true;
          if (b == 60) std::this_thread::sleep_for(std::chrono::milliseconds(1));
          if (b >= 60 && b % 2 == 0) throw std::runtime_error("block " + std::to_string(b));
        });
      };
      CHECK_THROWS_WITH_AS(loop(), "block 60", std::runtime_error);
      for (std::size_t b = 0; b <= 60; ++b) CHECK(begun[b]);
    }
    // The next loop is not touched by the failure.
    std::atomic<int> visits{0};
    parallel_blocks(10, [&](Index) { ++visits; });
    CHECK(visits == 10);
  }
}

TEST_CASE("a loop inside a body runs on the body's thread, in order") {
  const Threads use(3);
  std::atomic<int> mismatches{0};
  parallel_blocks(12, [&](Index) {
    const auto thread = std::this_thread::get_id();
    std::vector<Index> order;
    parallel_blocks(5, [&](Index b) {
      if (std::this_thread::get_id() != thread) ++mismatches;
      order.push_back(b);
    });
    if (order != std::vector<Index>{0, 1, 2, 3, 4}) ++mismatches;
  });
  CHECK(mismatches == 0);
}

TEST_CASE("loops of two threads of a program run beside each other") {
  // Each loop ends only once the other one is in progress.
  std::atomic<int> begun{0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const auto loop = [&] {
    const Threads use(2);
    std::vector<std::atomic<int>> visits(100);
    parallel_blocks(100, [&](Index b) {
      if (b == 0) ++begun;
      while (begun < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      ++visits[static_cast<std::size_t>(b)];
    });
    return std::all_of(visits.begin(), visits.end(), [](const auto& n) { return n == 1; });
  };
  bool other = false;
  std::thread thread([&] { other = loop(); });
  CHECK(loop());
  thread.join();
  CHECK(other);
  CHECK(begun == 2);
}

TEST_CASE("loops work in a process forked from one that has workers") {
  const Threads use(3);
  std::atomic<int> before{0};
  parallel_blocks(100, [&](Index) { ++before; });
  REQUIRE(before == 100);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a loop that hangs ends the child
    std::atomic<int> visits{0};
    parallel_blocks(100, [&](Index) { ++visits; });
    std::exit(visits == 100 ? 17 : 1);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 17);
  std::atomic<int> after{0};
  parallel_blocks(100, [&](Index) { ++after; });
  CHECK(after == 100);
}

TEST_CASE("a loop is given up on an interrupt where it may be, with one thread and with several") {
  for (const int count : {1, 3}) {
    const Threads use(count);
    Interrupt interrupt;
    const ContextScope scope({.interrupt = &interrupt});
    std::atomic<int> visits{0};
    const auto loop = [&] {
      parallel_blocks(10000, [&](Index) {
        if (++visits == 5) interrupt.request();
      });
    };
    {
      const GivingUp on_interrupt;
      CHECK_THROWS_AS(loop(), Interrupted);
      CHECK(visits < 10000);
    }
    visits = 0;
    loop();  // an interrupt was requested, but nobody may give up
    CHECK(visits == 10000);
  }
}

TEST_CASE("ranges cut a count into blocks of the given size, the last one shorter") {
  const Threads use(2);
  std::vector<Index> begins(4, -1), ends(4, -1);
  parallel_ranges(10, 3, [&](Index begin, Index end) {
    begins[static_cast<std::size_t>(begin / 3)] = begin;
    ends[static_cast<std::size_t>(begin / 3)] = end;
  });
  CHECK(begins == std::vector<Index>{0, 3, 6, 9});
  CHECK(ends == std::vector<Index>{3, 6, 9, 10});
  int calls = 0;
  parallel_ranges(0, 3, [&](Index, Index) { ++calls; });
  CHECK(calls == 0);
  CHECK_THROWS_WITH_AS(parallel_ranges(5, 0, [](Index, Index) {}),
                       "block size 0: must be at least 1", InputError);
}
