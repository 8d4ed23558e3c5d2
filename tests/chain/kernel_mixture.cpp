#include "gihflow/chain/kernel_mixture.hpp"

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
#include "support/label_calibration.hpp"
#include "support/prior_moments.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Prior mixture_of(Index components) {
  Prior prior;
  prior.vocabulary = 2;
  prior.parents = {1};
  prior.alpha = 0.5;
  prior.family = KernelMixture{components, {}};
  return prior;
}

}  // namespace

TEST_CASE("each chain takes one of K kernels at random, the same K for every purpose") {
  const Prior prior = mixture_of(5);
  const Kernels components = mixture_components(prior, 7);
  CHECK(components.count == 5);
  std::vector<double> counts(5, 0.0);
  for (const Purpose purpose : {Purpose::train, Purpose::validation}) {
    const Kernels kernels = draw_kernels(prior, 7, purpose, 2000);
    for (Index chain = 0; chain < kernels.count; ++chain) {
      Index found = 0;
      for (Index k = 0; k < 5; ++k) {
        if (!std::ranges::equal(kernels.of_chain(chain), components.of_chain(k))) continue;
        ++found;
        ++counts[size(k)];
      }
      CHECK(found == 1);
    }
  }
  CHECK(chi_square_p_value(counts, std::vector<double>(5, 800.0)) > least_p_value);

  Prior other = prior;
  std::get<KernelMixture>(other.family).seed = 7;
  CHECK(mixture_components(other, 8).values == components.values);
  CHECK(mixture_components(prior, 8).values != components.values);
}

TEST_CASE("components follow the Dirichlet prior with its floor") {
  Prior prior = mixture_of(20000);
  const Moments entry = moments_of(mixture_components(prior, 1), [](auto k) { return k[3]; });
  CHECK(agree(entry, 0.5, 1.5 / (2.0 * 2.0)));
  CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  prior.floor = 0.1;
  const Kernels floored = mixture_components(prior, 1);
  CHECK(*std::min_element(floored.values.begin(), floored.values.end()) >= 0.1);
  std::vector<double> kernel(4);
  draw_kernel(prior, 1, Purpose::test, 3, kernel);
  CHECK(*std::min_element(kernel.begin(), kernel.end()) >= 0.1);
}

TEST_CASE("the posterior of a mixture is Bayes' rule over its kernels") {
  Kernels kernels;
  kernels.vocabulary = 2;
  kernels.parents = {1};
  kernels.count = 2;
  kernels.values = {0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.5, 0.5};
  const MixturePosterior posterior(kernels);
  std::vector<double> law(2);
  posterior.label_law(std::vector<Token>{0, 0, 1, 1, 0}, law);  // 0→0, 0→1, 1→1; then from 1
  const double first = 0.9 * 0.1 * 0.8, second = 0.125;
  CHECK(close(law[0], (first * 0.2 + second * 0.5) / (first + second), 16));
  CHECK(close(law[1], (first * 0.8 + second * 0.5) / (first + second), 16));
}

TEST_CASE("posterior labels of a mixture are calibrated") {
  check_calibrated(collect(*sample_prior(posterior_labelled(mixture_of(3), 50'000))));
}

TEST_CASE("a mixture has at least one kernel, and no more than can be counted") {
  CHECK(sentences(prior_errors(mixture_of(0))) ==
        std::vector<std::string>{"prior mixture:0: K must be between 1 and 1073741824, the number "
                                 "of kernels of 4 entries each"});
  CHECK(prior_errors(mixture_of(2048)).empty());
}
