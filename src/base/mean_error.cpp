#include "gihflow/base/mean_error.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace gihflow {

MeanError mean_error(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2 || !std::isfinite(mean))
    return {mean, std::numeric_limits<double>::quiet_NaN()};
  double squares = 0.0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (n - 1.0) / n)};
}

}  // namespace gihflow
