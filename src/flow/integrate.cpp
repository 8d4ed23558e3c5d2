#include "flow/integrate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gihflow {

Index Integration::jacobian(const State&, Eigen::MatrixXd&) {
  return 0;
}

RightHandSide Integration::counted() {
  return [this](const State& x, State& dxdt) {
    ++statistics().rhs_evaluations;
    slope(x, dxdt);
  };
}

void Integration::count_jacobian(const State& x, Eigen::MatrixXd& j) {
  j.resize(0, 0);  // stays empty if a column is not finite
  Eigen::MatrixXd result;
  const Index cost = jacobian(x, result);
  statistics().rhs_evaluations += cost;
  statistics().jacobian_columns += cost;
  j = std::move(result);
}

void Integration::start(double t, State x, double duration) {
  t_ = t;
  memory_ = {};
  from_.x = std::move(x);
  from_.jacobian.resize(0, 0);
  const RightHandSide f = counted();
  f(from_.x, from_.slope);
  try {  // Solving ODEs I, II.4
    const State unit = scale(from_.x, from_.x);
    const double size = error_norm(from_.x, unit).value,
                 speed = error_norm(from_.slope, unit).value;
    double first = size < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * size / speed;
    first = std::min(first, duration);
    const State next = from_.x + first * from_.slope;
    State next_slope;
    f(next, next_slope);
    const double curvature = error_norm(next_slope - from_.slope, unit).value / first;
    const double most = std::max(speed, curvature);
    const double second = most <= 1e-15 ? std::max(1e-6, first * 1e-3)
                                        : std::pow(0.01 / most, 1.0 / method().order());
    dt_ = std::min({100.0 * first, second, duration});
  } catch (const NonFinite&) {
    dt_ = std::min(1e-6, duration);
  }
}

/// Tries a step of size dt and returns its error norm, NaN if a value is not finite.
ErrorNorm Integration::attempt(double dt) {
  try {
    if (method().uses_jacobian() && from_.jacobian.size() == 0)
      count_jacobian(from_.x, from_.jacobian);
    method().step(counted(), from_, dt, to_);
    require_finite(to_.x);
    return error_norm(error(), scale(from_.x, to_.x));
  } catch (const NonFinite& fault) {
    return {std::numeric_limits<double>::quiet_NaN(), fault.component};
  }
}

Outcome Integration::integrate(double end) {
  while (t_ < end) {
    Outcome outcome = before_step();
    if (outcome != Outcome::running) return outcome;
    const double remaining = end - t_;
    const bool last = dt_ >= remaining * (1.0 - 1e-12);
    const double dt = last ? remaining : dt_;
    if (!(t_ + dt > t_))
      return memory_.after_non_finite ? Outcome::non_finite : Outcome::step_underflow;
    const int order = method().order();
    const ErrorNorm error = attempt(dt);
    memory_.worst = error.worst;
    memory_.after_non_finite = !std::isfinite(error.value);
    const bool is_accepted = error.value <= 1.0;
    if (is_accepted) {
      ++statistics().accepted_steps;
      const double t_new = last ? end : t_ + dt;
      const double proposal = dt * memory_.accept(error.value, order);
      accepted(t_new, dt);
      t_ = t_new;
      dt_ = last ? std::max(dt_, proposal) : proposal;
      std::swap(from_.x, to_.x);
      std::swap(from_.slope, to_.slope);
      from_.jacobian = std::exchange(to_.jacobian, {});
    } else {
      ++statistics().rejected_steps;
      if (memory_.after_non_finite) ++statistics().non_finite_steps;
      dt_ = dt * memory_.reject(error.value, order);
    }
    outcome = after_step(is_accepted);
    if (outcome != Outcome::running) return t_ >= end ? Outcome::reached : outcome;
  }
  return Outcome::reached;
}

}  // namespace gihflow
