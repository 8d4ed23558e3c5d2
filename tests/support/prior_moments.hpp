#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "gihflow/chain/prior.hpp"

namespace gihflow::testing {

/// The first two moments of a number that each kernel has, over kernels that are drawn.
struct Moments {
  double mean = 0.0, square = 0.0;              ///< of the number and of its square
  double mean_error = 0.0, square_error = 0.0;  ///< standard errors
};

template <class Number>
Moments moments_of(const Kernels& kernels, Number number) {
  double sums[4] = {};
  for (Index chain = 0; chain < kernels.count; ++chain) {
    const double x = number(kernels.of_chain(chain));
    for (double power = x, *sum = sums; sum != sums + 4; power *= x) *sum++ += power;
  }
  const double n = static_cast<double>(kernels.count);
  for (double& sum : sums) sum /= n;
  return {sums[0], sums[1], std::sqrt((sums[1] - sums[0] * sums[0]) / n),
          std::sqrt((sums[3] - sums[1] * sums[1]) / n)};
}

/// Whether both moments are the expected ones within four standard errors (p = 1e-4).
inline bool agree(const Moments& found, double mean, double square) {
  return std::abs(found.mean - mean) <= 4.0 * found.mean_error + 1e-12 &&
         std::abs(found.square - square) <= 4.0 * found.square_error + 1e-12;
}

/// b of P(π(e|z) < x) ~ x^b between two small numbers, over all entries of many kernels.
inline double measured_small_entries(const Kernels& kernels, double lower, double upper) {
  double below_lower = 0.0, below_upper = 0.0;
  for (const double p : kernels.values) {
    below_lower += p < lower;
    below_upper += p < upper;
  }
  return std::log(below_upper / below_lower) / std::log(upper / lower);
}

/// Whether all rows are laws.
inline bool rows_sum_to_one(const Kernels& kernels) {
  for (auto row = kernels.values.begin(); row != kernels.values.end(); row += kernels.vocabulary) {
    double sum = 0.0;
    for (auto entry = row; entry != row + kernels.vocabulary; ++entry) {
      if (!(*entry >= 0.0)) return false;
      sum += *entry;
    }
    if (std::abs(sum - 1.0) > 1e-13) return false;
  }
  return true;
}

}  // namespace gihflow::testing
