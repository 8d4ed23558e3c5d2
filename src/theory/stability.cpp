#include "gihflow/theory/stability.hpp"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <limits>
#include <vector>

#include "gihflow/base/size.hpp"

namespace gihflow {

LargestCurvature largest_curvature(const Objective& objective, Index subset,
                                   const PlainBlocks& blocks) {
  constexpr double step = 0.1, most = 50.0, nan = std::numeric_limits<double>::quiet_NaN();
  Point at(std::vector<double>(size(objective.model().subsets()), 0.0), blocks);
  at.p[size(subset)] = 1.0;
  Gradient gradient;
  const auto curvature = [&](double a) {
    at.a = a;
    objective.gradient(at, gradient, false);
    return 2.0 * (*std::ranges::max_element(gradient.p) - gradient.p[size(subset)]);
  };
  double best = 0.0, highest = curvature(0.0);
  for (double a = step; a <= most; a += step) {
    const double here = curvature(a);
    if (here > highest) {
      best = a;
      highest = here;
    } else if (here < 0.5 * highest) {
      const auto [a_of, negative] = boost::math::tools::brent_find_minima(
          [&](double x) { return -curvature(x); }, std::max(0.0, best - step), best + step, 26);
      return {a_of, -negative};
    }
  }
  return {nan, nan};
}

}  // namespace gihflow
