#include "gihflow/chain/kernel.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::input_error;
using gihflow::testing::input_errors;

namespace {

// Two chains, d = 2, one parent.
Kernels good() {
  Kernels kernels;
  kernels.vocabulary = 2;
  kernels.parents = {3};
  kernels.count = 2;
  kernels.values = {0.5, 0.5, 0.25, 0.75, 0.0, 1.0, 1.0, 0.0};
  return kernels;
}

std::string error_of(const Kernels& kernels) {
  return input_error([&] { validate(kernels, "kernels"); });
}

}  // namespace

TEST_CASE("the context of a window is its digits at the parents' lags, the nearest parent first") {
  // Window (x_{l-1}, …, x_{l-4}) = (2, 0, 1, 2) in base 3.
  const Index window = 2 * 27 + 0 * 9 + 1 * 3 + 2;
  const auto context = [&](std::vector<Index> parents) {
    return context_of_window(window, 4, 3, parents);
  };
  CHECK(context({}) == 0);
  CHECK(context({1}) == 2);
  CHECK(context({3}) == 1);
  CHECK(context({4}) == 2);
  CHECK(context({1, 4}) == 2 * 3 + 2);
  CHECK(context({2, 3}) == 0 * 3 + 1);
  CHECK(context({1, 2, 3, 4}) == window);
  CHECK(context({1, 3, 4}) == 2 * 9 + 1 * 3 + 2);
}

TEST_CASE("the values of a chain are a contiguous block") {
  Kernels kernels = good();
  CHECK(kernels.contexts() == 2);
  CHECK(kernels.longest_lag() == 3);
  CHECK(kernels.of_chain(1).data() == kernels.values.data() + 4);
  CHECK(kernels.of_chain(1).size() == 4);
  CHECK(static_cast<const Kernels&>(kernels).of_chain(0)[3] == 0.75);
  kernels.parents.clear();
  CHECK(kernels.contexts() == 1);
  CHECK(kernels.longest_lag() == 0);
}

TEST_CASE("the first kernels are those of the first chains") {
  const Kernels all{2, {1}, 3, {0.5, 0.5, 1, 0, 0.25, 0.75, 0, 1, 0.125, 0.875, 0.5, 0.5}};
  const Kernels first = first_kernels(all, 2);
  CHECK(first.vocabulary == 2);
  CHECK(first.parents == all.parents);
  CHECK(first.count == 2);
  CHECK(first.values == std::vector<double>{0.5, 0.5, 1, 0, 0.25, 0.75, 0, 1});
  CHECK(first_kernels(all, 4).values == all.values);
  CHECK(first_kernels(all, 4).count == 3);
}

TEST_CASE("good kernels pass, zeros and rounding in them too") {
  CHECK(error_of(good()) == "");
  Kernels kernels = good();
  kernels.values[0] += 9e-10;
  CHECK(error_of(kernels) == "");
}

TEST_CASE("each fault of given kernels is told with its place") {
  Kernels kernels = good();
  kernels.values.pop_back();
  CHECK(error_of(kernels) == "kernels, 7 values: must be 2 chains x 2 contexts x 2 tokens");

  kernels = good();
  kernels.values[2] += 2e-9;
  CHECK(error_of(kernels) ==
        "kernels, chain 0, context 1: the row sums to 1.000000002: must be 1 within 1e-09");

  kernels = good();
  kernels.values[4] = -0.5;
  kernels.values[5] = 1.5;
  kernels.values[6] = -1.0;
  CHECK(error_of(kernels) ==
        "kernels, chain 1, context 0 (and 1 more): value -0.5: must not be negative");

  kernels = good();
  kernels.values[7] = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of(kernels) == "kernels, chain 1, context 1: value nan: must be finite");

  kernels = good();
  kernels.parents = {2, 2};
  CHECK(error_of(kernels) ==
        "kernels, parents 2,2: must be lags of at least 1 in increasing order");
  kernels.parents = {0};
  CHECK(error_of(kernels) == "kernels, parents 0: must be lags of at least 1 in increasing order");
}

TEST_CASE("all faults of given kernels are told at once") {
  Kernels kernels = good();
  kernels.vocabulary = 1;
  kernels.count = 0;
  kernels.parents = {2, 1};
  CHECK(input_errors([&] { validate(kernels, "kernels"); }) ==
        std::vector<std::string>{
            "kernels, vocabulary 1: must be between 2 and 65535",
            "kernels, number of chains 0: must be at least 1",
            "kernels, parents 2,1: must be lags of at least 1 in increasing order"});
  kernels = good();
  kernels.values[0] = 0.9;
  kernels.values[4] = -1.0;
  kernels.values[6] = std::numeric_limits<double>::infinity();
  CHECK(input_errors([&] { validate(kernels, "kernels"); }).size() == 3);
}
