#pragma once

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <functional>
#include <vector>

namespace gihflow::testing {

/// Statistical tests fail below this p-value. Seeds are fixed, so a test that passes once always
/// does; a wrong law is found as long as it lowers the p-value by that much.
inline constexpr double least_p_value = 1e-4;

/// p-value of Kolmogorov's test that `samples` follow the law with the given distribution function
/// (asymptotic series with Stephens' correction for finite numbers).
inline double kolmogorov_p_value(std::vector<double> samples,
                                 const std::function<double(double)>& distribution) {
  std::sort(samples.begin(), samples.end());
  const double n = static_cast<double>(samples.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double f = distribution(samples[i]);
    const double below = static_cast<double>(i) / n, above = static_cast<double>(i + 1) / n;
    distance = std::max({distance, f - below, above - f});
  }
  const double root = std::sqrt(n);
  const double lambda = (root + 0.12 + 0.11 / root) * distance;
  double p = 0.0;
  for (int k = 1; k <= 100; ++k)
    p += (k % 2 ? 2.0 : -2.0) * std::exp(-2.0 * k * k * lambda * lambda);
  return lambda < 0.2 ? 1.0 : p;
}

/// p-value of Pearson's chi-square test of counts against the expected ones (each at least about
/// 5), with `constraints` linear constraints between them.
inline double chi_square_p_value(const std::vector<double>& counts,
                                 const std::vector<double>& expected, int constraints = 1) {
  double chi_square = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    chi_square += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  }
  const double freedom = static_cast<double>(counts.size()) - constraints;
  return boost::math::gamma_q(0.5 * freedom, 0.5 * chi_square);
}

/// Two-sided p-value of `successes` out of `trials` of probability `probability`, exact.
inline double binomial_p_value(int successes, int trials, double probability) {
  const double k = successes, n = trials;
  const double most = k >= n ? 1.0 : boost::math::ibetac(k + 1.0, n - k, probability);  // P(X <= k)
  const double least =
      k <= 0.0 ? 1.0 : boost::math::ibeta(k, n - k + 1.0, probability);  // P(X >= k)
  return std::min(1.0, 2.0 * std::min(most, least));
}

/// Smallest p-value of the numbers of errors, in units of their stated standard errors, that lie
/// within 0.5, 1, 1.96 and 2.576 of them, were they normal: whether the standard errors are what
/// they say.
inline double coverage_p_value(const std::vector<double>& errors) {
  double least = 1.0;
  for (const double bound : {0.5, 1.0, 1.96, 2.576}) {
    const auto inside =
        std::count_if(errors.begin(), errors.end(), [&](double z) { return std::abs(z) <= bound; });
    least =
        std::min(least, binomial_p_value(static_cast<int>(inside), static_cast<int>(errors.size()),
                                         std::erf(bound / std::sqrt(2.0))));
  }
  return least;
}

}  // namespace gihflow::testing
