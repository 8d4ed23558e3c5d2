// The CUDA engine, on a card where there is one.

#include <doctest/doctest.h>

#include "gihflow/population/device.hpp"
#include "population/engines.hpp"
#include "population/staged_checks.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("on a card: agreement with the CPU engine") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  MESSAGE("card: ", cuda_card());
  check_against_cpu(make_cuda_objective);
}

TEST_CASE("on a card: agreement on larger samples") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  check_large(make_cuda_objective);
}

TEST_CASE("on a card: agreement in infinite context") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  check_infinite(make_cuda_infinite_objective);
}
