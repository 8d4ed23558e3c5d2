#pragma once

// The ordinary differential equation of one stage: ẋ = f(x) and its Jacobian in the stage's
// coordinates.

#include <Eigen/Core>

#include "flow/coordinates.hpp"
#include "flow/method.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

class StageSystem {
 public:
  /// Both must outlive it.
  StageSystem(const Objective& objective, const Coordinates& coordinates)
      : objective_(objective),
        coordinates_(coordinates),
        wanted_(derivatives_in(coordinates.stage().blocks)) {}

  /// ẋ = f(x) (3.3), one gradient. Throws NonFinite.
  void slope(const Eigen::VectorXd& x, Eigen::VectorXd& dxdt);

  /// J = ∂f/∂x at x, [size, size], exact: each column is one derivative of the gradient along a
  /// direction. Columns that are known are not computed: 0 for the dissipated energy and for θ_S
  /// with p_S = 0; and one of each softmax, whose columns add up to zero. Returns the number of
  /// derivatives taken, each of which costs less than two gradients. Throws NonFinite.
  Index jacobian(const Eigen::VectorXd& x, Eigen::MatrixXd& j);

 private:
  const Objective& objective_;
  const Coordinates& coordinates_;
  Derivatives wanted_;
  Gradient gradient_, derivative_;
};

/// Largest modulus of an eigenvalue of j. Zero columns, which have the eigenvalue 0, are left out
/// with their rows, so that rounding cannot give them another one.
double spectral_radius(const Eigen::MatrixXd& j);

}  // namespace gihflow
