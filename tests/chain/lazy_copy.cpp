#include "gihflow/chain/lazy_copy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/chain/prior.hpp"
#include "support/input_errors.hpp"
#include "support/prior_moments.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE(
    "a lazy kernel copies the token at the first parent lag, else draws from a Dirichlet row") {
  Prior prior;
  prior.vocabulary = 4;
  prior.parents = {2, 3};
  prior.alpha = 0.4;
  prior.family = LazyCopy{0.25};
  const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 20000);
  CHECK(rows_sum_to_one(kernels));
  // Dirichlet(0.4·1_4): mean 1/4, second moment 1.4/(4·2.6).
  const double second = 1.4 / (4.0 * 2.6);
  const auto entry = [](Index first, Index other, Index token) {
    return [=](auto k) { return k[size((first * 4 + other) * 4 + token)]; };
  };
  for (const Index other : {0, 3}) {
    CHECK(agree(moments_of(kernels, entry(1, other, 2)), 0.75 / 4.0, 0.75 * 0.75 * second));
    CHECK(agree(moments_of(kernels, entry(1, other, 1)), 0.25 + 0.75 / 4.0,
                0.0625 + 2.0 * 0.25 * 0.75 / 4.0 + 0.75 * 0.75 * second));
  }
  CHECK(std::abs(measured_small_entries(kernels, 1e-9, 1e-5) - small_entries(prior)) < 0.01);
  CHECK(least_probability(prior) == 0.0);
  CHECK_FALSE(conjugate_concentration(prior).has_value());
}

TEST_CASE("a lazy kernel needs a parent and a probability below 1") {
  Prior prior;
  prior.family = LazyCopy{1.0};
  prior.parents = {};
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{
            "prior lazy:1: RHO must be at least 0 and below 1, the probability of a copy",
            "prior lazy:1: must have a parent to copy: parents must not be empty"});
}
