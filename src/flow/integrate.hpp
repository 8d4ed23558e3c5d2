#pragma once

// ẋ = f(x) by adaptive steps: the one loop that accepts and rejects steps.

#include "flow/controller.hpp"
#include "flow/method.hpp"
#include "gihflow/flow/trajectory.hpp"

namespace gihflow {

/// An initial value problem and where its integration stands. What is integrated, by which method
/// and what happens between steps is the derived class's. A state, slope, Jacobian or error that is
/// not finite rejects the step and divides its size by 10.
class Integration {
 public:
  virtual ~Integration() = default;

  double t() const { return t_; }
  const Eigen::VectorXd& state() const { return from_.x; }

 protected:
  using State = Eigen::VectorXd;

  virtual Method& method() = 0;
  /// f(x). Throws NonFinite, as do the other two.
  virtual void slope(const State& x, State& dxdt) = 0;
  /// ∂f/∂x at x, for methods that use it. Returns what it cost in right-hand sides.
  virtual Index jacobian(const State& x, Eigen::MatrixXd& j);
  /// Error allowed to a step between x and y, by component.
  virtual State scale(const State& x, const State& y) const = 0;
  /// Error of the step just tried, as it is compared with that.
  virtual State error() const { return to_.error; }
  virtual StepStatistics& statistics() { return statistics_; }

  /// Asked before each step; anything but Outcome::running ends the integration.
  virtual Outcome before_step() { return Outcome::running; }
  /// A step of size dt from from_ at t() to to_ at t_new has been accepted, and becomes the state
  /// when this returns.
  virtual void accepted(double /*t_new*/, double /*dt*/) {}
  /// Called after each step, accepted or not; anything but Outcome::running ends the integration.
  virtual Outcome after_step(bool /*accepted*/) { return Outcome::running; }

  /// Slope at x and a size for the first step of an integration that goes on for `duration`.
  void start(double t, State x, double duration);
  /// Steps until `end`, where the last one lands, or until the integration ends otherwise: a step
  /// too small to change t is step_underflow, or non_finite if that is what made it small.
  Outcome integrate(double end);
  /// Jacobian at the state x, counted.
  void count_jacobian(const State& x, Eigen::MatrixXd& j);

  double t_ = 0.0, dt_ = 0.0;  ///< dt_: size of the step to try next
  StepStart from_;             ///< the state; its Jacobian is kept until a step is accepted
  StepEnd to_;
  StepMemory memory_;

 private:
  ErrorNorm attempt(double dt);
  RightHandSide counted();
  StepStatistics statistics_;
};

}  // namespace gihflow
