#include "gihflow/chain/fixed_kernel.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/sequence.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Prior fixed(std::vector<double> probabilities) {
  Prior prior;
  prior.vocabulary = 2;
  prior.parents = {1};
  prior.family = FixedKernel{std::move(probabilities)};
  return prior;
}

}  // namespace

TEST_CASE("one kernel for all chains, as it is given") {
  const Prior prior = fixed({0.75, 0.25, 0.5, 0.5});
  const Kernels kernels = draw_kernels(prior, 3, Purpose::test, 2);
  CHECK(kernels.values == std::vector<double>{0.75, 0.25, 0.5, 0.5, 0.75, 0.25, 0.5, 0.5});
  CHECK(least_probability(prior) == 0.25);
  CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  CHECK(small_entries(fixed({1, 0, 0.5, 0.5})) == 0.0);
  CHECK(to_string(prior.family) == "fixed:0.75,0.25,0.5,0.5");
  CHECK(family_named("fixed:0.75,0.25,0.5,0.5") == prior.family);
  CHECK_FALSE(family_named("fixed:0.75,").has_value());
}

TEST_CASE("a fixed kernel has a row of probabilities for each context") {
  CHECK(sentences(prior_errors(fixed({0.5, 0.5}))) ==
        std::vector<std::string>{"prior fixed with 2 numbers: must have vocabulary^2 = 4 of them, "
                                 "a row of 2 for each context"});
  CHECK(sentences(prior_errors(fixed({0.5, 0.5, 0.5, 0.6}))) ==
        std::vector<std::string>{"prior fixed, row 1: must be probabilities that sum to 1 within "
                                 "1e-09, not to 1.1"});
  CHECK(prior_errors(fixed({1.5, -0.5, 1.0, 0.0})).faults().size() == 1);
}

TEST_CASE("a fixed kernel with several closed classes has no stationary start") {
  SamplingOptions options;
  options.prior = fixed({1, 0, 0, 1});
  CHECK(input_error([&] { sample_prior(options); }) ==
        "prior fixed:1,0,0,1: has 2 closed classes of states: must be one for a stationary initial "
        "law; initial-law uniform needs none");
  options.prior = fixed({0, 1, 1, 0});  // periodic
  CHECK_NOTHROW(collect(*sample_prior(options)));
  options.prior = fixed({1, 0, 0.5, 0.5});  // absorbing
  CHECK(collect(*sample_prior(options)).tokens.front() == 0);
}
