#include "gihflow/chain/low_rank.hpp"

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

TEST_CASE("a low-rank kernel has the moments of a product of Dirichlet laws") {
  Prior prior;
  prior.vocabulary = 4;
  prior.parents = {1};
  prior.alpha = 0.2;
  for (const Index K : {1, 2, 3}) {
    prior.family = LowRank{K};
    const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 20000);
    CHECK(rows_sum_to_one(kernels));
    // Of Dirichlet(α·1_m): E p² = (1+α)/(m(1+mα)), E p q = α/(m(1+mα)).
    const double k = static_cast<double>(K), d = 4.0, a = prior.alpha;
    const double same = (1.0 + a) / (k * (1.0 + k * a)), other = a / (k * (1.0 + k * a));
    const double token = (1.0 + a) / (d * (1.0 + d * a));
    const double square = k * same * token + k * (k - 1.0) * other / (d * d);
    CHECK(agree(moments_of(kernels, [](auto v) { return v[6]; }), 0.25, square));
    // Rows share the classes: E π(e|z)π(e|z') = Σ E A(k|z)E A(k'|z') E B(e|k)B(e|k').
    const Moments product = moments_of(kernels, [](auto v) { return v[2] * v[6]; });
    CHECK(std::abs(product.mean - (token + (k - 1.0) / (d * d)) / k) < 4.0 * product.mean_error);
    // Up to logarithms, which are worth 2/|log x| here.
    CHECK(small_entries(prior) == k * a);
    if (K == 2)
      CHECK(std::abs(measured_small_entries(kernels, 1e-7, 1e-4) - small_entries(prior)) < 0.15);
  }
}

TEST_CASE("a low-rank kernel has its rank") {
  Prior prior;
  prior.vocabulary = 3;
  prior.parents = {1};
  prior.alpha = 1.0;
  prior.family = LowRank{2};
  std::vector<double> p(9);
  for (Index chain = 0; chain < 20; ++chain) {
    draw_kernel(prior, 1, Purpose::test, chain, p);
    const double determinant = p[0] * (p[4] * p[8] - p[5] * p[7]) -
                               p[1] * (p[3] * p[8] - p[5] * p[6]) +
                               p[2] * (p[3] * p[7] - p[4] * p[6]);
    CHECK(std::abs(determinant) < tolerance<double>(9));
  }
  prior.family = LowRank{1};
  draw_kernel(prior, 1, Purpose::test, 0, p);
  CHECK(std::equal(p.begin(), p.begin() + 3, p.begin() + 3));
  prior.family = LowRank{0};
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{
            "prior low-rank:0: K must be between 1 and 65535, the number of latent classes"});
}
