#include "gihflow/chain/dirichlet_rows.hpp"

#include <doctest/doctest.h>

#include "support/prior_moments.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("rows of the Dirichlet prior have its moments and its rare small entries") {
  Prior prior;
  prior.alpha = 0.3;
  const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 20000);
  CHECK(rows_sum_to_one(kernels));
  const Moments entry = moments_of(kernels, [](auto k) { return k[5]; });
  CHECK(agree(entry, 1.0 / 3.0, (1.0 + prior.alpha) / (3.0 * (1.0 + 3.0 * prior.alpha))));
  const Moments product = moments_of(kernels, [](auto k) { return k[0] * k[3]; });  // of two rows
  CHECK(std::abs(product.mean - 1.0 / 9.0) < 4.0 * product.mean_error);
  CHECK(std::abs(measured_small_entries(kernels, 1e-9, 1e-5) - small_entries(prior)) < 0.01);
  CHECK(small_entries(prior) == 0.3);
  CHECK(least_probability(prior) == 0.0);
  CHECK(conjugate_concentration(prior).value() == 0.3);
  prior.floor = 0.02;
  CHECK(least_probability(prior) == 0.02);
  CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  CHECK_FALSE(conjugate_concentration(prior).has_value());
}
