// The stages of the CUDA engine, run on the host.

#include "population/staged_host.hpp"

#include <doctest/doctest.h>

#include "population/staged_checks.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("the stages of the CUDA engine, run on the host, agree with the CPU engine") {
  check_against_cpu(staged_host::make_staged_objective);
}

TEST_CASE("the stages of the CUDA engine, run on the host, agree on larger samples") {
  check_large(staged_host::make_staged_objective);
}

TEST_CASE("the stages of the CUDA engine, run on the host, agree in infinite context") {
  check_infinite(staged_host::make_staged_infinite_objective);
}
