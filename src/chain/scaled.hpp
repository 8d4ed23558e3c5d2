#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// Non-negative number m·2^e with m in [½, 1) or 0 and a 64-bit exponent. Sums, products and
/// quotients round as those of double do, so a computation in Scaled gives the same bits as in
/// double wherever the latter neither under- nor overflows. Logarithms would lose digits.
struct Scaled {
  double m = 0.0;
  Index e = 0;

  Scaled() = default;
  explicit Scaled(double x) {
    int exponent = 0;
    m = std::frexp(x, &exponent);
    e = exponent;
  }
  Scaled(double mantissa, Index exponent) : m(mantissa), e(exponent) {}

  /// The nearest double; 0 or subnormal if it is too small.
  explicit operator double() const {
    if (e < -1200) return 0.0;
    return std::ldexp(m, static_cast<int>(e));
  }
};

inline Scaled operator+(Scaled a, Scaled b) {
  if (a.m == 0.0) return b;
  if (b.m == 0.0) return a;
  if (a.e < b.e) return b + a;
  const Index shift = a.e - b.e;
  if (shift > 60) return a;
  const double factor = std::bit_cast<double>(static_cast<std::uint64_t>(1023 - shift) << 52);
  const double sum = a.m + b.m * factor;
  return sum >= 1.0 ? Scaled(0.5 * sum, a.e + 1) : Scaled(sum, a.e);
}

inline Scaled operator*(Scaled a, Scaled b) {
  if (a.m == 0.0 || b.m == 0.0) return {};
  const double product = a.m * b.m;
  return product < 0.5 ? Scaled(2.0 * product, a.e + b.e - 1) : Scaled(product, a.e + b.e);
}

/// b > 0.
inline Scaled operator/(Scaled a, Scaled b) {
  if (a.m == 0.0) return {};
  const double quotient = a.m / b.m;
  return quotient >= 1.0 ? Scaled(0.5 * quotient, a.e - b.e + 1) : Scaled(quotient, a.e - b.e);
}

inline Scaled& operator+=(Scaled& a, Scaled b) {
  return a = a + b;
}
inline Scaled& operator/=(Scaled& a, Scaled b) {
  return a = a / b;
}
inline bool is_zero(Scaled a) {
  return a.m == 0.0;
}
inline bool is_zero(double a) {
  return a == 0.0;
}

}  // namespace gihflow
