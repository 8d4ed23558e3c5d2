#pragma once

// One step of Boost.Odeint's rosenbrock4 behind plain arrays: its uBLAS of Boost 1.74 needs C++17,
// so this header includes nothing that needs more.

#include <cstddef>
#include <functional>
#include <memory>

namespace gihflow {

/// Rosenbrock method of order 4 with an embedded error estimate of order 3, L-stable and stiffly
/// accurate (RODAS of Hairer & Wanner, Solving ODEs II, IV.7): linear systems with the matrix
/// 1/(dt/4) − J and no iteration, for autonomous ẋ = f(x). Arrays have `size` entries, the Jacobian
/// J = ∂f/∂x is [size, size], row major.
class RosenbrockStep {
 public:
  using RightHandSide = std::function<void(const double* x, double* dxdt)>;

  explicit RosenbrockStep(std::size_t size);
  ~RosenbrockStep();

  /// From x with slope f(x), by five calls of f. A singular matrix makes x_new non-finite.
  void step(const RightHandSide& f, const double* x, const double* slope, const double* jacobian,
            double dt, double* x_new, double* error);
  /// State at the fraction dt_out of the last step, dense output of order 3.
  void interpolate(const double* x, const double* x_new, double dt, double dt_out, double* out);

 private:
  struct Stepper;
  std::unique_ptr<Stepper> stepper_;
};

}  // namespace gihflow
