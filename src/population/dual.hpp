#pragma once

// Values with their derivative along one direction, for code that is written once and evaluated
// with or without the derivative. The hot loops have their own, in scalar.hpp.

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
Dual<T> operator+(const Dual<T>& x, double y) {
  return {x.v + y, x.d};
}
template <class T>
Dual<T> operator*(const Dual<T>& x, const Dual<T>& y) {
  return {x.v * y.v, x.v * y.d + x.d * y.v};
}
template <class T>
Dual<T> operator/(const Dual<T>& x, const Dual<T>& y) {
  T quotient = x.v / y.v;
  return {quotient, (x.d - quotient * y.d) / y.v};
}

inline double exponential(double x) {
  return std::exp(x);
}
template <class T>
Dual<T> exponential(const Dual<T>& x) {
  T y = exponential(x.v);
  return {y, y * x.d};
}

inline double value(double x) {
  return x;
}
template <class T>
const T& value(const Dual<T>& x) {
  return x.v;
}

}  // namespace gihflow
