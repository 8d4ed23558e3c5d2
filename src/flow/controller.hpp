#pragma once

// Step size control (Hairer, Nørsett, Wanner, Solving ODEs I, II.4 and IV.2): the error norm is a
// maximum over components, the next step size follows from a proportional–integral controller.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gihflow {

/// Largest component of an error relative to its scale; NaN if one is not finite.
struct ErrorNorm {
  double value = 0.0;
  Eigen::Index worst = 0;  ///< the component it comes from
};

inline ErrorNorm error_norm(const Eigen::VectorXd& error, const Eigen::VectorXd& scale) {
  ErrorNorm norm;
  for (Eigen::Index i = 0; i < error.size(); ++i) {
    const double scaled = std::abs(error[i]) / scale[i];
    if (!std::isfinite(scaled)) return {std::numeric_limits<double>::quiet_NaN(), i};
    if (scaled > norm.value) norm = {scaled, i};
  }
  return norm;
}

/// Allowed error of a step between states of magnitudes x and y, by component.
inline Eigen::VectorXd error_scale(const Eigen::VectorXd& x, const Eigen::VectorXd& y, double rtol,
                                   double atol) {
  return (atol + rtol * x.cwiseAbs().cwiseMax(y.cwiseAbs()).array()).matrix();
}

/// The controller's memory of the steps taken so far.
struct StepMemory {
  double previous_error = 1e-4;   ///< error norm of the last accepted step, at least 1e-4
  bool after_rejection = false;   ///< the last step was rejected …
  bool after_non_finite = false;  ///< … because a value was not finite
  Eigen::Index worst = 0;         ///< component with the largest error in the last step

  /// Factor of the step size after an accepted step of error norm `error` ~ dt^order.
  double accept(double error, int order) {
    constexpr double memory_weight = 0.04;
    const double exponent = 1.0 / order - 0.75 * memory_weight;
    const double growth =
        0.9 * std::pow(std::max(error, 1e-10), -exponent) * std::pow(previous_error, memory_weight);
    const double factor = std::clamp(growth, 0.2, after_rejection ? 1.0 : 10.0);
    previous_error = std::max(error, 1e-4);
    after_rejection = false;
    return factor;
  }
  /// The same after a rejected step, of error norm above 1 or not finite.
  double reject(double error, int order) {
    after_rejection = true;
    return after_non_finite ? 0.1 : std::max(0.2, 0.9 * std::pow(error, -1.0 / order));
  }
};

}  // namespace gihflow
