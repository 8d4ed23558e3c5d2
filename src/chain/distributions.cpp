#include "gihflow/chain/distributions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {

// The uniforms of a stream, many at once; the stream may come to stand further than the last one
// that is asked for.
class Uniforms {
 public:
  explicit Uniforms(Stream& stream) : stream_(stream) {}
  double uniform() {
    if (used_ == fractions_.size()) {
      stream_.fractions(fractions_);
      used_ = 0;
    }
    return (static_cast<double>(fractions_[used_++]) + 0.5) * 0x1.0p-52;
  }

 private:
  Stream& stream_;
  std::array<std::uint64_t, 64> fractions_;
  std::size_t used_ = fractions_.size();
};

template <class Source>
double normal(Source& source) {
  const double u = source.uniform();
  const double v = source.uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

// log of Gamma(shape, 1) variates. For a shape ≥ 1 (Marsaglia & Tsang 2000): with x normal and
// v = (1 + x/√(9δ))³, δ = shape − 1/3, the variate is δv, accepted when log u < x²/2 + δ(1 − v +
// log v).
class LogGamma {
 public:
  explicit LogGamma(double shape)
      : shape_(shape),
        delta_((shape >= 1.0 ? shape : shape + 1.0) - 1.0 / 3.0),
        slope_(1.0 / std::sqrt(9.0 * delta_)),
        log_delta_(std::log(delta_)) {}

  template <class Source>
  double variate(Source& source) const {
    if (shape_ >= 1.0) return above_one(source);
    // G(shape) = G(shape + 1)·U^{1/shape}. The maximum below avoids −∞ for shapes near the smallest
    // double.
    const double above = above_one(source);
    const double power = std::log(source.uniform()) / shape_;
    return std::max(above + power, std::numeric_limits<double>::lowest());
  }

 private:
  template <class Source>
  double above_one(Source& source) const {
    for (;;) {
      const double x = normal(source);
      const double u = source.uniform();
      const double root = 1.0 + slope_ * x;
      if (root <= 0.0) continue;
      const double v = root * root * root;
      const double log_v = 3.0 * std::log(root);
      const bool squeezed = u < 1.0 - 0.0331 * (x * x) * (x * x);
      if (squeezed || std::log(u) < 0.5 * x * x + delta_ * (1.0 - v + log_v))
        return log_delta_ + log_v;
    }
  }

  double shape_, delta_, slope_, log_delta_;
};

// For alpha near 1e-308 log(U)/alpha overflows for all entries, which would then be equal. At
// 1e-300 the entry with the largest U already has the whole mass, to the last bit.
LogGamma log_gamma_of_entry(double alpha) {
  return LogGamma(std::max(alpha, 1e-300));
}

template <class Source>
void draw_row(Source& source, const LogGamma& of_entry, std::span<double> row) {
  double largest = std::numeric_limits<double>::lowest();
  for (double& entry : row) {
    entry = of_entry.variate(source);
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

}  // namespace

double normal_variate(Stream& stream) {
  return normal(stream);
}

double log_gamma_variate(Stream& stream, double shape) {
  return LogGamma(shape).variate(stream);
}

void dirichlet(Stream& stream, double alpha, std::span<double> row) {
  draw_row(stream, log_gamma_of_entry(alpha), row);
}

void dirichlet_rows(Stream stream, double alpha, Index d, std::span<double> rows) {
  const LogGamma of_entry = log_gamma_of_entry(alpha);
  Uniforms uniforms(stream);
  for (std::size_t begin = 0; begin < rows.size(); begin += size(d))
    draw_row(uniforms, of_entry, rows.subspan(begin, size(d)));
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
