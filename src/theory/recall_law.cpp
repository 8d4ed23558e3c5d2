#include "gihflow/theory/recall_law.hpp"

#include <boost/math/quadrature/trapezoidal.hpp>
#include <cmath>
#include <numbers>

#include "theory/root.hpp"

namespace gihflow {

namespace {

// ∫ φ(z) Φ(z + g)^{d'−1} dz; the trapezoidal rule converges geometrically.
double share_right(double g, double competitors) {
  const auto integrand = [&](double z) {
    const double normal = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
    return normal * std::pow(0.5 * std::erfc(-(z + g) / std::numbers::sqrt2), competitors);
  };
  return boost::math::quadrature::trapezoidal(integrand, -12.0, 12.0, 1e-10);
}

}  // namespace

double recall_accuracy(Index positions, Index ordinary, double a) {
  const double count = static_cast<double>(positions) / static_cast<double>(ordinary);
  return share_right(std::expm1(a) / std::sqrt(count), static_cast<double>(ordinary - 1));
}

double recall_signal(double share, Index ordinary) {
  const double competitors = static_cast<double>(ordinary - 1);
  return root([&](double g) { return share_right(g, competitors) - share; }, 0.0, 40.0);
}

double recall_time(Index positions, Index ordinary, double epsilon, double from, double to) {
  // Beside the position that matches: N others, of which n bear the label's token on average. Two
  // of them bear the trigger.
  const double N = static_cast<double>(positions - 1);
  const double n = (N - 2.0) / static_cast<double>(ordinary);
  const double u0 = std::exp(from), u = std::exp(to);
  const double smoothed = 1.0 + epsilon;
  return (smoothed * (u - u0) + (n + epsilon * N + smoothed * N) * (to - from) +
          N * (n + epsilon * N) * (1.0 / u0 - 1.0 / u)) /
         (N - n);
}

double best_recall_length(Index target, double share, Index ordinary, double epsilon) {
  const double d = static_cast<double>(ordinary);
  const double u = recall_signal(share, ordinary) * std::sqrt(static_cast<double>(target) / d);
  return std::sqrt((1.0 + epsilon) * u / (1.0 / d + epsilon));
}

}  // namespace gihflow
