#pragma once

// Integration of ẋ = f(x) by adaptive steps: the loop that accepts and rejects steps.

#include "flow/controller.hpp"
#include "flow/method.hpp"
#include "gihflow/flow/trajectory.hpp"

namespace gihflow {

/// An initial value problem and the state of its integration. The derived class gives the
/// right-hand side, the method and what happens between steps. A state, slope, Jacobian or error
/// that is not finite rejects the step and divides its size by 10.
class Integration {
 public:
  virtual ~Integration() = default;

  double t() const { return t_; }
  const Eigen::VectorXd& state() const { return from_.x; }

 protected:
  using State = Eigen::VectorXd;

  virtual Method& method() = 0;
  /// f(x). slope and jacobian throw NonFinite.
  virtual void slope(const State& x, State& dxdt) = 0;
  /// ∂f/∂x at x, for methods that use it. Returns its cost in right-hand sides.
  virtual Index jacobian(const State& x, Eigen::MatrixXd& j);
  /// Allowed error of a step between x and y, by component.
  virtual State scale(const State& x, const State& y) const = 0;
  /// Error of the step just tried, which is compared with scale().
  virtual State error() const { return to_.error; }
  virtual StepStatistics& statistics() { return statistics_; }

  /// Called before each step; anything but Outcome::running ends the integration.
  virtual Outcome before_step() { return Outcome::running; }
  /// Called when a step of size dt from from_ at t() to to_ at t_new is accepted, before to_
  /// becomes the state.
  virtual void accepted(double /*t_new*/, double /*dt*/) {}
  /// Called after each step, accepted or not; anything but Outcome::running ends the integration.
  virtual Outcome after_step(bool /*accepted*/) { return Outcome::running; }

  /// Sets the state, its slope and the size of the first step for an integration over `duration`.
  void start(double t, State x, double duration);
  /// Steps until exactly `end`, or until the integration ends otherwise: a step too small to change
  /// t is step_underflow, or non_finite if values that are not finite made it so small.
  Outcome integrate(double end);
  /// Computes the Jacobian at x into j and adds its cost to the statistics.
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
