#define GIHFLOW_ISA in_tests
#include "base/elementary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>

#include "gihflow/base/random.hpp"

using namespace gihflow;

namespace {

using gihflow::in_tests::Pack;

double log_of(double x) {
  Pack all;
  in_tests::set(all, x);
  return lane(in_tests::logarithm(all), 0);
}
double exp_of(double x) {
  Pack all;
  in_tests::set(all, x);
  return lane(in_tests::exponential(all), 0);
}
double cos_of_turns(double v) {
  Pack all;
  in_tests::set(all, v);
  return lane(in_tests::cosine_of_turns(all), 0);
}

// |x − exact| in units of the last place of `exact`.
double units(double x, long double exact) {
  int exponent = 0;
  std::frexp(static_cast<double>(exact), &exponent);
  return static_cast<double>(std::abs(x - exact) / std::ldexp(1.0L, exponent - 53));
}

// Uniforms of 52 bits: anywhere, and some that are close to 0 or 1.
template <class Use>
void for_uniforms(Use use) {
  Stream stream(7, Purpose::test, Variate::kernel, 0);
  for (int i = 0; i < 100'000; ++i) {
    const double u = stream.uniform();
    use(u);
    const double close = std::ldexp(std::floor(std::ldexp(u, 52 - i % 52)) + 0.5, -52);
    use(close);
    use(1.0 - close);
  }
  use(0x1p-53);
  use(1.0 - 0x1p-53);
}

}  // namespace

TEST_CASE("logarithms of positive normal numbers are exact within one unit of the last place") {
  double largest = 0.0;
  const auto hold = [&](double x) {
    largest = std::max(largest, units(log_of(x), std::log(static_cast<long double>(x))));
  };
  Stream stream(8, Purpose::test, Variate::kernel, 0);
  for_uniforms([&](double u) {
    hold(u);
    hold(std::ldexp(1.0 + u, static_cast<int>(2046.0 * stream.uniform()) - 1022));
    hold(0.5 + u);
  });
  hold(std::numeric_limits<double>::min());
  hold(std::numeric_limits<double>::max());
  CHECK(largest < 1.0);
  CHECK(log_of(1.0) == 0.0);
}

TEST_CASE("exponentials of what is not above 0 are exact within one unit of the last place") {
  double largest = 0.0;
  for_uniforms([&](double u) {
    for (const double x : {-u, -708.39 * u, std::log(u)})
      largest = std::max(largest, units(exp_of(x), std::exp(static_cast<long double>(x))));
  });
  CHECK(largest < 1.0);
  CHECK(exp_of(0.0) == 1.0);
  CHECK(exp_of(-708.3964185322640) > std::numeric_limits<double>::min());
  for (const double x : {-708.5, -745.0, -1e300, std::numeric_limits<double>::lowest(),
                         -std::numeric_limits<double>::infinity()})
    CHECK(exp_of(x) == 0.0);
}

TEST_CASE("cosines of turns are exact within two units of the last place, at their zeros too") {
  double largest = 0.0;
  const auto hold = [&](double x) {
    const double v = std::ldexp(std::floor(std::ldexp(x, 53)), -53);
    if (v == 0.25 || v == 0.75) return;
    const long double from_quarter = std::abs(v - 0.5L) - 0.25L;
    const long double exact = std::sin(2.0L * std::numbers::pi_v<long double> * from_quarter);
    largest = std::max(largest, units(cos_of_turns(v), exact));
  };
  for_uniforms([&](double v) {
    hold(v);
    const double close = 0.25 * v * 0x1p-20;
    for (const double centre : {0.125, 0.25, 0.375, 0.5, 0.75}) {
      hold(centre + close);
      hold(centre - close);
    }
  });
  CHECK(largest < 2.0);
  CHECK(cos_of_turns(0.25) == 0.0);
  CHECK(cos_of_turns(0.75) == 0.0);
  CHECK(cos_of_turns(0.0) == 1.0);
  CHECK(cos_of_turns(0.5) == -1.0);
}
