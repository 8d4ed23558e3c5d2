#include "gihflow/base/interrupt.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace gihflow;

TEST_CASE("an interrupt stays requested until it is cleared") {
  clear_interrupt();
  CHECK_FALSE(interrupt_requested());
  request_interrupt();
  CHECK(interrupt_requested());
  CHECK(interrupt_requested());
  clear_interrupt();
  CHECK_FALSE(interrupt_requested());
}

TEST_CASE("an interrupt can be requested from a signal handler") {
  clear_interrupt();
  const auto before = std::signal(SIGUSR1, [](int) { request_interrupt(); });
  const bool installed = before != SIG_ERR;
  REQUIRE(installed);
  std::raise(SIGUSR1);
  std::signal(SIGUSR1, before);
  CHECK(interrupt_requested());
  clear_interrupt();
}
