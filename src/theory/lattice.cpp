#include "theory/lattice.hpp"

#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <vector>

#include "theory/root.hpp"

namespace gihflow {

Kernels lattice_kernels(double alpha) {
  using InDouble = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  constexpr std::size_t points = 6765, generator = 4181;  // Fibonacci numbers
  std::vector<double> quantile(points);
  double least = -700.0;
  for (std::size_t i = 0; i <= points / 2; ++i) {
    const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(points);
    // Solves for log π, since π may be far below the spacing of doubles at 1. The previous quantile
    // and the median bracket it.
    least = root(
        [&](double x) { return boost::math::ibeta(alpha, alpha, std::exp(x), InDouble()) - u; },
        least, std::log(0.6));
    quantile[i] = std::exp(least);
    if (2 * i + 1 < points) quantile[points - 1 - i] = 1.0 - quantile[i];
  }
  Kernels kernels{2, {1}, static_cast<Index>(points), {}};
  for (std::size_t i = 0; i < points; ++i)
    for (const std::size_t place : {i, i * generator % points}) {
      kernels.values.push_back(quantile[place]);
      kernels.values.push_back(quantile[points - 1 - place]);
    }
  return kernels;
}

}  // namespace gihflow
