#pragma once

// Values with their derivative along one direction, over numbers and Eigen arrays, for code that is
// written once and evaluated with or without the derivative.

#include <Eigen/Core>
#include <cmath>

namespace gihflow {

template <class T>
struct Dual {
  T v, d;
};

template <class T>
Dual<T> operator+(const Dual<T>& x, const Dual<T>& y) {
  return {x.v + y.v, x.d + y.d};
}
template <class T>
Dual<T> operator-(const Dual<T>& x, const Dual<T>& y) {
  return {x.v - y.v, x.d - y.d};
}
/// Also a number times an array.
template <class S, class T>
Dual<T> operator*(const Dual<S>& x, const Dual<T>& y) {
  return {x.v * y.v, x.v * y.d + x.d * y.v};
}
template <class T>
Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  T quotient = x.v / y.v;
  return {quotient, (x.d - quotient * y.d) / y.v};
}
template <class T>
Dual<T> operator+(const Dual<T>& x, double y) {
  return {x.v + y, x.d};
}
template <class T>
Dual<T> operator*(const Dual<T>& x, double y) {
  return {x.v * y, x.d * y};
}

/// c·x, c/x, x − c for a constant c of the same shape.
template <class C, class T>
T scaled(const C& c, const T& x) {
  return c * x;
}
template <class C, class T>
Dual<T> scaled(const C& c, const Dual<T>& x) {
  return {c * x.v, c * x.d};
}
template <class C, class T>
T over(const C& c, const T& x) {
  return c / x;
}
template <class C, class T>
Dual<T> over(const C& c, const Dual<T>& x) {
  T quotient = c / x.v;
  return {quotient, -quotient * x.d / x.v};
}
template <class C, class T>
T minus(const T& x, const C& c) {
  return x - c;
}
template <class C, class T>
Dual<T> minus(const Dual<T>& x, const C& c) {
  return {x.v - c, x.d};
}

template <class T>
T exponential(const T& x) {
  using std::exp;
  return exp(x);
}
template <class T>
Dual<T> exponential(const Dual<T>& x) {
  T y = exponential(x.v);
  return {y, y * x.d};
}
template <class T>
T logarithm(const T& x) {
  using std::log;
  return log(x);
}
template <class T>
Dual<T> logarithm(const Dual<T>& x) {
  return {logarithm(x.v), x.d / x.v};
}
/// x > 0.
template <class T>
T square_root(const T& x) {
  using std::sqrt;
  return sqrt(x);
}
template <class T>
Dual<T> square_root(const Dual<T>& x) {
  T y = square_root(x.v);
  return {y, 0.5 * x.d / y};
}

template <class T>
const T& value(const T& x) {
  return x;
}
template <class T>
const T& value(const Dual<T>& x) {
  return x.v;
}

/// A linear function of an array. Its result is a number or an array, never an expression.
template <class F, class T>
auto linear(F&& f, const T& x) {
  return f(x);
}
template <class F, class T>
auto linear(F&& f, const Dual<T>& x) {
  return Dual<decltype(f(x.v))>{f(x.v), f(x.d)};
}

}  // namespace gihflow
