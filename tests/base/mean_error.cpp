#include "gihflow/base/mean_error.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using gihflow::mean_error;
using gihflow::MeanError;

TEST_CASE("mean and standard error by hand") {
  // Variance ((−2)² + 0 + 2²)/2 = 4, standard error √(4/3).
  const MeanError x = mean_error(std::vector{1.0, 3.0, 5.0});
  CHECK(x.mean == 3.0);
  CHECK(x.error == doctest::Approx(std::sqrt(4.0 / 3.0)).epsilon(1e-15));
  CHECK(mean_error(std::vector{2.0, 2.0}).error == 0.0);
}

TEST_CASE("no error of one number, nor beside an infinite mean") {
  CHECK(mean_error(std::vector{7.0}).mean == 7.0);
  CHECK(std::isnan(mean_error(std::vector{7.0}).error));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(mean_error(std::vector{1.0, infinity}).mean == infinity);
  CHECK(std::isnan(mean_error(std::vector{1.0, infinity}).error));
}
