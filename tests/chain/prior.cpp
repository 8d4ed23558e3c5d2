#include "gihflow/chain/prior.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "support/input_errors.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("the kernels of a seed are the ones they have always been") {
  Prior prior;
  std::vector<double> kernel(27);
  draw_kernel(prior, 1, Purpose::train, 0, kernel);
  const std::vector<double> first_rows{0.9998210727030723,     4.0180309545666255e-11,
                                       0.00017892725674759882, 0.99826598543066491,
                                       3.9953961342223216e-05, 0.0016940606079927849};
  for (std::size_t i = 0; i < first_rows.size(); ++i) {
    CHECK(close(kernel[i], first_rows[i], 27, 100.0));
  }
  prior.floor = 0.05;
  draw_kernel(prior, 1, Purpose::train, 9, kernel);
  CHECK(close(kernel[24], 0.1376951098690824, 27));
  CHECK(close(kernel[25], 0.051339159392539253, 27));
  CHECK(close(kernel[26], 0.8109657307383783, 27));
}

TEST_CASE("a kernel depends on seed, purpose and chain alone") {
  Prior prior;
  prior.parents = {1, 4};
  const auto draw = [&](std::uint64_t seed, Purpose purpose, Index chain) {
    std::vector<double> kernel(27);
    draw_kernel(prior, seed, purpose, chain, kernel);
    return kernel;
  };
  const std::vector<double> kernel = draw(3, Purpose::train, 5);
  CHECK(draw(3, Purpose::train, 5) == kernel);
  CHECK(draw(4, Purpose::train, 5) != kernel);
  CHECK(draw(3, Purpose::validation, 5) != kernel);
  CHECK(draw(3, Purpose::train, 6) != kernel);
}

TEST_CASE(
    "kernels drawn together are those drawn one by one, for any number of chains or threads") {
  const Prior prior;
  const Kernels few = draw_kernels(prior, 9, Purpose::rank, 7);
  CHECK(few.vocabulary == 3);
  CHECK(few.parents == prior.parents);
  CHECK(few.count == 7);
  for (const int count : {1, 2, 5}) {
    const Threads use(count);
    const Kernels many = draw_kernels(prior, 9, Purpose::rank, 301);
    for (Index chain = 0; chain < many.count; ++chain) {
      std::vector<double> kernel(27);
      draw_kernel(prior, 9, Purpose::rank, chain, kernel);
      CHECK(std::ranges::equal(many.of_chain(chain), kernel));
      if (chain < 7) CHECK(std::ranges::equal(few.of_chain(chain), kernel));
    }
  }
}

TEST_CASE("the floor mixes the kernel with the uniform law") {
  Prior plain, floored;
  floored.floor = 0.1;
  std::vector<double> without(27), with(27);
  draw_kernel(plain, 1, Purpose::train, 2, without);
  draw_kernel(floored, 1, Purpose::train, 2, with);
  for (std::size_t i = 0; i < with.size(); ++i) {
    CHECK(close(with[i], 0.7 * without[i] + 0.1, 4));
    CHECK(with[i] >= 0.1);
  }
}

TEST_CASE("an invalid prior is refused with one sentence per fault") {
  Prior prior;
  CHECK(prior_errors(prior).empty());
  prior.parents = {};
  CHECK(prior_errors(prior).empty());

  prior.vocabulary = 1;
  prior.parents = {2, 1};
  prior.alpha = 0.0;
  prior.floor = -0.1;
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{"vocabulary 1: must be between 2 and 65535",
                                 "parents 2,1: must be lags of at least 1 in increasing order",
                                 "alpha 0: must be a finite number above 0",
                                 "floor -0.1: must be at least 0 and below 1/vocabulary = 1"});
  prior = {};
  prior.vocabulary = 4;
  prior.floor = 0.25;
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{"floor 0.25: must be at least 0 and below 1/vocabulary = 0.25"});
  prior = {};
  prior.vocabulary = 65536;
  prior.alpha = std::numeric_limits<double>::quiet_NaN();
  prior.floor = std::numeric_limits<double>::quiet_NaN();
  CHECK(prior_errors(prior).faults().size() == 3);
  prior = {};
  prior.vocabulary = 2;
  prior.parents.clear();
  for (Index lag = 1; lag <= 31; ++lag) prior.parents.push_back(lag);
  CHECK(prior_errors(prior).empty());
  prior.parents.push_back(32);
  CHECK(sentences(prior_errors(prior))
            .front()
            .ends_with("a kernel of vocabulary^33 = 2^33 entries: must not exceed 4294967296"));
  CHECK(input_error([] { draw_kernels({}, 1, Purpose::train, 0); }) ==
        "chains 0: must be at least 1");
}

TEST_CASE("families are called by name, with the number that some have") {
  for (const char* text : {"dirichlet", "doubly-stochastic", "lazy:0.3", "permutation:0.05",
                           "low-rank:3", "mixture:64", "fixed:1,0"}) {
    const auto family = family_named(text);
    CHECK_MESSAGE(family.has_value(), text);
    if (family) CHECK(to_string(*family) == text);
    CHECK(family_names().find(std::string(text).substr(0, std::string(text).find(':'))) !=
          std::string::npos);
  }
  CHECK(to_string(*family_named("lazy")) == "lazy:0.5");
  CHECK(std::holds_alternative<KernelMixture>(*family_named("mixture:2")));
  for (const char* text : {"", "given", "gamma", "dirichlet:1", "lazy:", "lazy:x", "mixture:1.5",
                           "mixture:64:1", "Mixture:2"}) {
    CHECK_MESSAGE(!family_named(text).has_value(), text);
  }
}

TEST_CASE("the floor bounds the entries of every family") {
  for (const char* name :
       {"dirichlet", "doubly-stochastic", "lazy:0.3", "permutation:0", "low-rank:3", "mixture:4"}) {
    Prior prior;
    prior.parents = {1};
    prior.floor = 0.05;
    prior.family = *family_named(name);
    const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 100);
    CHECK(*std::min_element(kernels.values.begin(), kernels.values.end()) >= 0.05);
    CHECK(least_probability(prior) >= 0.05);
    CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  }
}
