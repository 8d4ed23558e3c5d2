#pragma once

#include <cmath>
#include <limits>

namespace gihflow::testing {

/// Absolute tolerance for a result of order 1 that comes from about `size` rounded operations on
/// Real: factor·size·eps. Every numeric tolerance of the tests goes through here; `factor` covers
/// what the count of operations leaves out, such as conditioning.
template <class Real>
Real tolerance(double size, double factor = 1.0) {
  return static_cast<Real>(factor * size) * std::numeric_limits<Real>::epsilon();
}

/// |a − b| ≤ tolerance<Real>(size, factor)·max(|a|, |b|); equal infinities are close, NaN never is.
template <class Real>
bool close(Real a, Real b, double size, double factor = 1.0) {
  if (a == b) return true;
  return std::abs(a - b) <= tolerance<Real>(size, factor) * std::fmax(std::abs(a), std::abs(b));
}

}  // namespace gihflow::testing
