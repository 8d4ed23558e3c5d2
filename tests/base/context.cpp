#include "gihflow/base/context.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"

using namespace gihflow;

namespace {

Interrupt signalled;

}  // namespace

TEST_CASE("an interrupt stays requested until it is cleared") {
  Interrupt interrupt;
  CHECK_FALSE(interrupt.requested());
  interrupt.request();
  CHECK(interrupt.requested());
  CHECK(interrupt.requested());
  interrupt.clear();
  CHECK_FALSE(interrupt.requested());
}

TEST_CASE("an interrupt can be requested from a signal handler") {
  const ContextScope scope({.interrupt = &signalled});
  const auto before = std::signal(SIGUSR1, [](int) { signalled.request(); });
  const bool installed = before != SIG_ERR;
  REQUIRE(installed);
  CHECK_FALSE(interrupt_requested());
  std::raise(SIGUSR1);
  std::signal(SIGUSR1, before);
  CHECK(interrupt_requested());
  signalled.clear();
}

TEST_CASE("scopes nest, and what one does not give is as around it") {
  const int outermost = threads();
  CHECK(outermost >= 1);
  Interrupt interrupt;
  interrupt.request();
  CHECK_FALSE(interrupt_requested());
  {
    const ContextScope several({.threads = 3});
    CHECK(threads() == 3);
    {
      const ContextScope stopping({.interrupt = &interrupt});
      CHECK(threads() == 3);
      CHECK(interrupt_requested());
      const ContextScope alone({.threads = 1});
      CHECK(threads() == 1);
      CHECK(interrupt_requested());
    }
    CHECK(threads() == 3);
    CHECK_FALSE(interrupt_requested());
  }
  CHECK(threads() == outermost);
}

TEST_CASE("a context reaches the bodies of its parallel loops and no other thread") {
  Interrupt interrupt;
  interrupt.request();
  const ContextScope scope({.threads = 4, .interrupt = &interrupt});
  std::atomic<int> stopped{0};
  parallel_blocks(1000, [&](Index) { stopped += interrupt_requested() && threads() == 4; });
  CHECK(stopped == 1000);
  std::thread([&] {
    CHECK_FALSE(interrupt_requested());
    parallel_blocks(1000, [&](Index) { stopped -= !interrupt_requested(); });
  }).join();
  CHECK(stopped == 0);
}

TEST_CASE("an impossible number of threads is refused") {
  const int before = threads();
  for (const int count : {0, -3, 1025}) {
    CAPTURE(count);
    const std::string sentence =
        "threads " + std::to_string(count) + ": must be between 1 and 1024";
    CHECK_THROWS_WITH_AS(ContextScope({.threads = count}), sentence.c_str(), InputError);
  }
  CHECK(threads() == before);
}
