#pragma once

#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gihflow {

/// The root of a continuous f between `low` and `high`, to 44 bits, by algorithm 748 of Alefeld,
/// Potra and Shi (1995). NaN unless f changes sign between them.
template <class F>
double root(const F& f, double low, double high) {
  const double at_low = f(low), at_high = f(high);
  if (at_low == 0.0) return low;
  if (at_high == 0.0) return high;
  if (std::isnan(at_low) || std::isnan(at_high) || (at_low < 0.0) == (at_high < 0.0))
    return std::numeric_limits<double>::quiet_NaN();
  std::uintmax_t steps = 200;
  const auto [left, right] = boost::math::tools::toms748_solve(
      f, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(44), steps);
  return 0.5 * (left + right);
}

}  // namespace gihflow
