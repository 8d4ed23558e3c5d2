#pragma once

// Forward-mode automatic differentiation for the reference objective: a value and its derivatives
// in any number of variables. Plain and eager; nests for second derivatives.

#include <cmath>
#include <vector>

namespace gihflow::reference {

template <class T>
struct Jet {
  T v{};
  std::vector<T> d;  ///< empty: a constant

  Jet() = default;
  Jet(double constant) : v(constant) {}
  Jet(T value, std::vector<T> derivatives) : v(std::move(value)), d(std::move(derivatives)) {}

  /// Derivative in variable i.
  T slope(std::size_t i) const { return d.empty() ? T(0.0) : d[i]; }

  /// f(x) with value `value` and f'(x) = `slope`.
  Jet chain(T value, const T& slope) const {
    Jet y;
    y.v = std::move(value);
    for (const T& x : d) y.d.push_back(slope * x);
    return y;
  }
};

/// αx + βy for the derivatives x and y of two numbers; an empty vector is that of a constant.
template <class T>
std::vector<T> combine(const T& alpha, const std::vector<T>& x, const T& beta,
                       const std::vector<T>& y) {
  std::vector<T> z(x.empty() ? y.size() : x.size(), T(0.0));
  for (std::size_t i = 0; i < x.size(); ++i) z[i] = alpha * x[i];
  for (std::size_t i = 0; i < y.size(); ++i) z[i] = z[i] + beta * y[i];
  return z;
}

template <class T>
Jet<T> operator+(const Jet<T>& x, const Jet<T>& y) {
  return {x.v + y.v, combine<T>(T(1.0), x.d, T(1.0), y.d)};
}
template <class T>
Jet<T> operator-(const Jet<T>& x, const Jet<T>& y) {
  return {x.v - y.v, combine<T>(T(1.0), x.d, T(-1.0), y.d)};
}
template <class T>
Jet<T> operator*(const Jet<T>& x, const Jet<T>& y) {
  return {x.v * y.v, combine<T>(y.v, x.d, x.v, y.d)};
}
template <class T>
Jet<T> operator/(const Jet<T>& x, const Jet<T>& y) {
  T inverse = T(1.0) / y.v;
  T ratio = x.v * inverse;
  return {ratio, combine<T>(inverse, x.d, T(-1.0) * ratio * inverse, y.d)};
}

template <class T>
Jet<T> operator+(const Jet<T>& x, double y) {
  return x + Jet<T>(y);
}
template <class T>
Jet<T> operator*(double x, const Jet<T>& y) {
  return Jet<T>(x) * y;
}
template <class T>
Jet<T> operator/(const Jet<T>& x, double y) {
  return x / Jet<T>(y);
}
template <class T>
Jet<T>& operator+=(Jet<T>& x, const Jet<T>& y) {
  return x = x + y;
}
template <class T>
Jet<T>& operator-=(Jet<T>& x, const Jet<T>& y) {
  return x = x - y;
}
template <class T>
Jet<T>& operator*=(Jet<T>& x, const Jet<T>& y) {
  return x = x * y;
}
template <class T>
Jet<T>& operator/=(Jet<T>& x, const Jet<T>& y) {
  return x = x / y;
}
template <class T>
bool operator>(const Jet<T>& x, const Jet<T>& y) {
  return x.v > y.v;
}

template <class T>
Jet<T> exp(const Jet<T>& x) {
  using std::exp;
  T y = exp(x.v);
  return x.chain(y, y);
}
template <class T>
Jet<T> log(const Jet<T>& x) {
  using std::log;
  return x.chain(log(x.v), T(1.0) / x.v);
}
/// Derivative 0 at 0, where (4.5) sets it so.
template <class T>
Jet<T> sqrt(const Jet<T>& x) {
  using std::sqrt;
  T y = sqrt(x.v);
  return x.chain(y, y > T(0.0) ? T(0.5) / y : T(0.0));
}

}  // namespace gihflow::reference
