#pragma once

// One step of an integrator, without step size control: what the driver loop needs of a method.

#include <Eigen/Core>
#include <functional>
#include <memory>

#include "gihflow/flow/flow.hpp"

namespace gihflow {

/// ẋ = f(x); the flow is autonomous.
using RightHandSide = std::function<void(const Eigen::VectorXd& x, Eigen::VectorXd& dxdt)>;

class Method {
 public:
  virtual ~Method() = default;
  /// Order of the error estimate plus one: err ~ dt^order.
  virtual int order() const = 0;
  /// One step of size dt from x with slope f(x): fills x_new, f(x_new) and the error estimate.
  virtual void step(const RightHandSide& f, const Eigen::VectorXd& x, const Eigen::VectorXd& slope,
                    double dt, Eigen::VectorXd& x_new, Eigen::VectorXd& slope_new,
                    Eigen::VectorXd& error) = 0;
  /// State at the fraction dt_out of the last step (0 < dt_out ≤ dt), from the arguments and results
  /// of that step; may call f, whose calls are then counted as output evaluations.
  virtual void interpolate(const RightHandSide& f, const Eigen::VectorXd& x,
                           const Eigen::VectorXd& slope, const Eigen::VectorXd& x_new,
                           const Eigen::VectorXd& slope_new, double dt, double dt_out,
                           Eigen::VectorXd& out) = 0;
};

std::unique_ptr<Method> make_method(Integrator integrator);

}  // namespace gihflow
