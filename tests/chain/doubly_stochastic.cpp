#include "gihflow/chain/doubly_stochastic.hpp"

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
#include "gihflow/chain/stationary.hpp"
#include "support/input_errors.hpp"
#include "support/prior_moments.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE(
    "columns sum to 1 as rows do, and the stationary law is uniform, at every concentration") {
  for (const Index d : {2, 3, 4, 10}) {
    for (const double alpha : {0.05, 0.1, 0.3, 1.0, 10.0}) {
      Prior prior;
      prior.vocabulary = d;
      prior.parents = {1};
      prior.alpha = alpha;
      prior.family = DoublyStochastic();
      const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 200);
      CHECK(rows_sum_to_one(kernels));
      for (Index chain = 0; chain < kernels.count; ++chain) {
        const auto kernel = kernels.of_chain(chain);
        for (Index column = 0; column < d; ++column) {
          double sum = 0.0;
          for (Index row = 0; row < d; ++row) sum += kernel[size(row * d + column)];
          CHECK(std::abs(sum - 1.0) < tolerance<double>(static_cast<double>(d), 100.0));
        }
        // The law of a nearly reducible chain follows from ratios of its smallest entries.
        for (const double mu : stationary_window_law(kernel, d, prior.parents, 1))
          CHECK(close(mu * static_cast<double>(d), 1.0, static_cast<double>(d), 2000.0));
      }
    }
  }
}

TEST_CASE(
    "scaling finds the closed form of two tokens and is blind to factors of rows and columns") {
  // p/(1 − p) = √(a₁₁a₂₂/(a₁₂a₂₁)).
  for (const double log_odds : {-600.0, -40.0, -1.0, 0.0, 3.0, 100.0, 1000.0}) {
    const std::vector<double> log_a{log_odds, 0.3, -0.2, 0.1};
    std::vector<double> p(4);
    balance(log_a, 2, p);
    const double half = 0.5 * (log_odds + 0.1 - 0.3 + 0.2);
    CHECK(close(p[0], 1.0 / (1.0 + std::exp(-half)), 1000.0, 4.0));
    CHECK(close(p[1], 1.0 / (1.0 + std::exp(half)), 1000.0, 4.0));
    CHECK(close(p[0], p[3], 1000.0, 4.0));
  }
  const std::vector<double> log_a{0.1, -30.0, 1.5, -2.0, -12.0, 0.4, 3.0, -25.0, -0.7};
  std::vector<double> moved = log_a, p(9), q(9);
  for (std::size_t i = 0; i < 9; ++i)
    moved[i] += 7.0 * static_cast<double>(i / 3) - 11.0 * static_cast<double>(i % 3);
  balance(log_a, 3, p);
  balance(moved, 3, q);
  for (std::size_t i = 0; i < 9; ++i) CHECK(close(p[i], q[i], 100.0, 10.0));
  // Cross ratios are those of the matrix: nothing but scaling happened.
  CHECK(close(std::log(p[0] * p[4] / (p[1] * p[3])), 0.1 - 12.0 + 30.0 + 2.0, 100.0, 10.0));
  CHECK(close(std::log(p[4] * p[8] / (p[5] * p[7])), -12.0 - 0.7 - 0.4 + 25.0, 100.0, 10.0));
}

TEST_CASE("small entries are as rare as the prior says, and its mean is 1/d") {
  Prior prior;
  prior.parents = {1};
  prior.alpha = 0.3;
  prior.family = DoublyStochastic();
  const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 40000);
  const Moments entry = moments_of(kernels, [](auto k) { return k[4]; });
  CHECK(std::abs(entry.mean - 1.0 / 3.0) < 4.0 * entry.mean_error);
  CHECK(std::abs(measured_small_entries(kernels, 1e-9, 1e-5) - small_entries(prior)) < 0.02);
  prior.vocabulary = 2;
  const Kernels two = draw_kernels(prior, 1, Purpose::test, 100000);
  CHECK(small_entries(prior) == 0.6);  // up to a logarithm
  CHECK(std::abs(measured_small_entries(two, 1e-7, 1e-4) - small_entries(prior)) < 0.1);
}

TEST_CASE("doubly stochastic kernels have one parent, and entries that doubles can hold") {
  Prior prior;
  prior.family = DoublyStochastic();
  prior.alpha = 0.001;
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{"parents 1,2: must be one lag with prior doubly-stochastic",
                                 "alpha 0.001: must be at least 0.01 with prior "
                                 "doubly-stochastic: entries would leave the range of doubles"});
  prior.alpha = 0.01;
  prior.parents = {3};
  CHECK(prior_errors(prior).empty());
}
