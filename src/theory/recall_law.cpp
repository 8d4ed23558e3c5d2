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

// The N positions that do not match, n of which have the label's token on average. Two of them have
// the trigger.
struct Others {
  double N, n;
  Others(Index positions, Index ordinary)
      : N(static_cast<double>(positions - 1)), n((N - 2.0) / static_cast<double>(ordinary)) {}
};

// ȧ with the label's token at n of the N other positions, u = e^a.
double speed(double N, double n, double epsilon, double u) {
  return u * (N - n) / ((N + u) * (n + u + epsilon * (N + u)));
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

double recall_threshold(Index positions, Index ordinary, double share) {
  const double count = static_cast<double>(positions) / static_cast<double>(ordinary);
  return std::log1p(recall_signal(share, ordinary) * std::sqrt(count));
}

double recall_length(double share, Index ordinary, double a) {
  const double reach = std::expm1(a) / recall_signal(share, ordinary);
  return static_cast<double>(ordinary) * reach * reach;
}

double recall_speed(std::span<const Index> counts, Index positions, double epsilon, double a) {
  double sum = 0.0;
  for (const Index n : counts)
    sum +=
        speed(static_cast<double>(positions - 1), static_cast<double>(n - 1), epsilon, std::exp(a));
  return sum / static_cast<double>(counts.size());
}

double recall_speed(Index positions, Index ordinary, double epsilon, double a) {
  const Others others(positions, ordinary);
  return speed(others.N, others.n, epsilon, std::exp(a));
}

double recall_rate(Index positions, Index ordinary, double epsilon) {
  const Others others(positions, ordinary);
  return (others.N - others.n) / (1.0 + epsilon);
}

double recall_time(Index positions, Index ordinary, double epsilon, double from, double to) {
  const Others others(positions, ordinary);
  const double N = others.N, n = others.n;
  const double u0 = std::exp(from), u = std::exp(to);
  const double smoothed = 1.0 + epsilon;
  return (smoothed * (u - u0) + (n + epsilon * N + smoothed * N) * (to - from) +
          N * (n + epsilon * N) * (1.0 / u0 - 1.0 / u)) /
         (N - n);
}

double recall_scale(Index positions, Index ordinary, double epsilon, double from, double t) {
  // e^a never grows faster than in the limit t → ∞.
  const double most = std::log(std::exp(from) + t * recall_rate(positions, ordinary, epsilon));
  return root([&](double a) { return recall_time(positions, ordinary, epsilon, from, a) - t; },
              from, most);
}

double best_recall_length(Index target, double share, Index ordinary, double epsilon) {
  const double d = static_cast<double>(ordinary);
  const double u = recall_signal(share, ordinary) * std::sqrt(static_cast<double>(target) / d);
  return std::sqrt((1.0 + epsilon) * u / (1.0 / d + epsilon));
}

}  // namespace gihflow
