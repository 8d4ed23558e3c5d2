// The CUDA engine, on a card where there is one.

#include <doctest/doctest.h>

#include "gihflow/population/device.hpp"
#include "population/engines.hpp"
#include "population/staged_checks.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::unique_ptr<Objective> make_one_part(const Model& model, const SequenceSource& source,
                                         Engine engine) {
  return make_cuda_objective(model, source, engine);
}

std::unique_ptr<Objective> make_one_infinite_part(const Model& model, const Kernels& kernels) {
  return make_cuda_infinite_objective(model, kernels);
}

}  // namespace

TEST_CASE("on a card: agreement with the CPU engine") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  MESSAGE("card: ", cuda_card());
  check_against_cpu(make_one_part);
}

TEST_CASE("on a card: agreement on larger samples") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  check_large(make_one_part);
}

TEST_CASE("on a card: agreement in infinite context") {
  if (!cuda_fault().empty()) {
    MESSAGE("Skipped: ", cuda_fault());
    return;
  }
  check_infinite(make_one_infinite_part);
}
