#include "gihflow/chain/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace gihflow {

namespace {

// log of a Gamma(shape, 1) variate for shape ≥ 1 (Marsaglia & Tsang 2000): with x normal and
// v = (1 + x/√(9δ))³, δ = shape − 1/3, the variate is δv, accepted when log u < x²/2 + δ(1 − v +
// log v).
double log_gamma_above_one(Stream& stream, double shape) {
  const double delta = shape - 1.0 / 3.0;
  const double slope = 1.0 / std::sqrt(9.0 * delta);
  for (;;) {
    const double x = normal_variate(stream);
    const double u = stream.uniform();
    const double root = 1.0 + slope * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double log_v = 3.0 * std::log(root);
    const bool squeezed = u < 1.0 - 0.0331 * (x * x) * (x * x);
    if (squeezed || std::log(u) < 0.5 * x * x + delta * (1.0 - v + log_v)) {
      return std::log(delta) + log_v;
    }
  }
}

}  // namespace

double normal_variate(Stream& stream) {
  const double u = stream.uniform();
  const double v = stream.uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

double log_gamma_variate(Stream& stream, double shape) {
  if (shape >= 1.0) return log_gamma_above_one(stream, shape);
  // G(shape) = G(shape + 1)·U^{1/shape}. The maximum below avoids −∞ for shapes near the smallest
  // double.
  const double above = log_gamma_above_one(stream, shape + 1.0);
  const double power = std::log(stream.uniform()) / shape;
  return std::max(above + power, std::numeric_limits<double>::lowest());
}

void dirichlet(Stream& stream, double alpha, std::span<double> row) {
  // For alpha near 1e-308 log(U)/alpha overflows for all entries, which would then be equal. At
  // 1e-300 the entry with the largest U already has the whole mass, to the last bit.
  alpha = std::max(alpha, 1e-300);
  double largest = std::numeric_limits<double>::lowest();
  for (double& entry : row) {
    entry = log_gamma_variate(stream, alpha);
    largest = std::max(largest, entry);
  }
  double sum = 0.0;
  for (double& entry : row) {
    entry = std::exp(entry - largest);
    sum += entry;
  }
  for (double& entry : row) {
    entry = std::max(entry / sum, std::numeric_limits<double>::min());
  }
}

bool sums_to_one(double sum, std::span<const double> probabilities) {
  const double error = std::abs(sum - 1.0);
  if (error <= sum_tolerance) return true;
  const double units = error / static_cast<double>(probabilities.size());
  const auto all = [&](auto&& of_type) {
    return std::all_of(probabilities.begin(), probabilities.end(), of_type);
  };
  const auto is_single = [](double p) { return p == static_cast<double>(static_cast<float>(p)); };
  // Representable in half precision: 11 bits, none below 2⁻²⁴.
  const auto is_half = [](double p) {
    if (p == 0.0) return true;
    const double last = std::max(std::ldexp(1.0, std::ilogb(p) - 10), 0x1p-24);
    return std::fmod(p, last) == 0.0;
  };
  return (units <= 0x1p-24 && all(is_single)) || (units <= 0x1p-11 && all(is_half));
}

Index categorical(double uniform, std::span<const double> probabilities) {
  double cumulative = 0.0;
  Index last_possible = 0;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    if (probabilities[k] <= 0.0) continue;
    cumulative += probabilities[k];
    last_possible = static_cast<Index>(k);
    if (uniform < cumulative) return last_possible;
  }
  // The sum was rounded to at most the uniform.
  return last_possible;
}

}  // namespace gihflow
