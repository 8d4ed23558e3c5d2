#include "gihflow/flow/modified.hpp"

#include <algorithm>
#include <cmath>

#include "flow/cartesian.hpp"
#include "flow/method.hpp"

namespace gihflow {

namespace {

using State = Eigen::VectorXd;

/// Largest component of `vector` in units of the tolerance at x and y; NaN if any is not finite.
double scaled(const State& vector, const State& x, const State& y,
              const ModifiedFlowOptions& options) {
  double largest = 0.0;
  for (Index i = 0; i < vector.size(); ++i) {
    const double size = std::abs(vector[i]) /
                        (options.atol + options.rtol * std::max(std::abs(x[i]), std::abs(y[i])));
    if (std::isnan(size)) return size;
    largest = std::max(largest, size);
  }
  return largest;
}

}  // namespace

ModifiedFlow modified_flow(const Objective& objective, const Stage& blocks, const Parameters& start,
                           double learning_rate, const std::vector<double>& times,
                           const ModifiedFlowOptions& options) {
  const Cartesian coordinates(blocks, start);
  ModifiedFlow out;
  Point at, along;
  Gradient g, dg;
  State gradient, product;
  const RightHandSide slope_at = [&](const State& x, State& dxdt) {
    ++out.evaluations;
    coordinates.point(x, at);
    objective.gradient(at, g, false);
    coordinates.gradient(x, at, g, gradient);
    dxdt = -gradient;
    if (learning_rate == 0.0) return;
    coordinates.direction(x, at, gradient, along);
    objective.gradient_along(at, along, g, dg);
    coordinates.hessian_product(x, at, gradient, along, g, dg, product);
    dxdt -= 0.5 * learning_rate * product;
  };

  const std::unique_ptr<Method> method = make_fehlberg78();
  StepStart from;
  StepEnd to;
  from.x = coordinates.initial_point();
  slope_at(from.x, from.slope);
  const double speed = scaled(from.slope, from.x, from.x, options);
  double t = 0.0;
  double dt = speed > 0.0 ? 0.01 * scaled(from.x, from.x, from.x, options) / speed : 1.0;
  for (const double end : times) {
    while (t < end) {
      if (out.evaluations >= options.max_evaluations) {
        out.outcome = Outcome::step_limit;
        return out;
      }
      const bool lands = dt >= (end - t) * (1.0 - 1e-12);
      const double step = lands ? end - t : dt;
      if (!std::isfinite(dt) || !(t + step > t)) {
        out.outcome = from.slope.allFinite() ? Outcome::step_underflow : Outcome::non_finite;
        return out;
      }
      method->step(slope_at, from, step, to);
      const double size =
          to.slope.allFinite() ? scaled(to.error, from.x, to.x, options) : std::nan("");
      if (!(size <= 1.0)) {
        dt = step *
             (std::isnan(size) ? 0.1 : std::max(0.2, 0.9 * std::pow(size, -1.0 / method->order())));
        continue;
      }
      t = lands ? end : t + step;
      const double proposal =
          step * std::min(5.0, 0.9 * std::pow(std::max(size, 1e-10), -1.0 / method->order()));
      dt = lands ? std::max(dt, proposal) : proposal;
      from.x = to.x;
      from.slope = to.slope;
    }
    out.points.push_back(coordinates.parameters(from.x));
  }
  return out;
}

}  // namespace gihflow
