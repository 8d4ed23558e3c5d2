#include "gihflow/chain/given_kernels.hpp"

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
#include "gihflow/chain/sequence.hpp"
#include "support/input_errors.hpp"
#include "support/prior_moments.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::shared_ptr<Kernels> some_kernels() {
  auto kernels = std::make_shared<Kernels>();
  kernels->vocabulary = 2;
  kernels->parents = {1};
  kernels->count = 2;
  kernels->values = {0.25, 0.75, 0.5, 0.5, 0.125, 0.875, 1.0, 0.0};
  return kernels;
}

}  // namespace

TEST_CASE("given kernels are a prior: one for each chain in turn, or one for all") {
  const auto kernels = some_kernels();
  const Prior prior = prior_of(kernels);
  CHECK(prior_errors(prior).empty());
  CHECK(given_kernels(prior) == kernels.get());
  CHECK(to_string(prior.family) == "given");
  const Kernels drawn = draw_kernels(prior, 1, Purpose::test, 5);
  for (Index chain = 0; chain < 5; ++chain)
    CHECK(std::ranges::equal(drawn.of_chain(chain), kernels->of_chain(chain % 2)));
  CHECK(least_probability(prior) == 0.0);
  CHECK(small_entries(prior) == 0.0);
  kernels->values[6] = kernels->values[7] = 0.5;
  CHECK(least_probability(prior) == 0.125);
  CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  CHECK_FALSE(conjugate_concentration(prior).has_value());
}

TEST_CASE("a prior of kernels with other parents is refused") {
  Prior prior = prior_of(some_kernels());
  prior.parents = {2};
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{"given kernels: must have the vocabulary and the parents of their "
                                 "prior, without a floor"});
}
