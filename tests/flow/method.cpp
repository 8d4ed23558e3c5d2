#include "flow/method.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using State = Eigen::VectorXd;

/// Slope of the least-squares line through (x, y).
double regression_slope(const std::vector<double>& x, const std::vector<double>& y) {
  double n = static_cast<double>(x.size()), sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sx += x[i], sy += y[i], sxx += x[i] * x[i], sxy += x[i] * y[i];
  }
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

// Logistic growth beside a pendulum in its own angle: u' = u(1 − u), r' = −s, s' = r, whose phases
// drive v' = −u·v². Everything has a closed form but v, which is 1/(1 + log((1 + e^t)/2)) for u =
// 1/(1 + e^−t).
void f(const State& x, State& dxdt) {
  dxdt.resize(4);
  dxdt << x[0] * (1.0 - x[0]), -x[2], x[1], -x[0] * x[3] * x[3];
}
Eigen::MatrixXd f_jacobian(const State& x) {
  Eigen::MatrixXd j = Eigen::MatrixXd::Zero(4, 4);
  j(0, 0) = 1.0 - 2.0 * x[0];
  j(1, 2) = -1.0;
  j(2, 1) = 1.0;
  j(3, 0) = -x[3] * x[3];
  j(3, 3) = -2.0 * x[0] * x[3];
  return j;
}
State solution(double t) {
  State x(4);
  x << 1.0 / (1.0 + std::exp(-t)), std::cos(t), std::sin(t),
      1.0 / (1.0 + std::log(0.5 * (1.0 + std::exp(t))));
  return x;
}

struct Errors {
  double at_end, between, estimate;
};

/// `steps` equal steps from t = 0 to 2: errors at the end, of dense output along the way, and the
/// largest error estimate.
Errors integrate(Method& method, int steps) {
  const double dt = 2.0 / steps;
  StepStart start;
  StepEnd end;
  start.x = solution(0.0);
  f(start.x, start.slope);
  Errors errors{0.0, 0.0, 0.0};
  State out;
  for (int k = 0; k < steps; ++k) {
    if (method.uses_jacobian()) start.jacobian = f_jacobian(start.x);
    method.step(f, start, dt, end);
    errors.estimate = std::max(errors.estimate, end.error.cwiseAbs().maxCoeff());
    for (double part : {0.3, 0.7}) {
      method.interpolate(f, start, end, dt, part * dt, out);
      errors.between =
          std::max(errors.between, (out - solution((k + part) * dt)).cwiseAbs().maxCoeff());
    }
    start.x = end.x;
    start.slope = end.slope;
  }
  errors.at_end = (start.x - solution(2.0)).cwiseAbs().maxCoeff();
  return errors;
}

}  // namespace

TEST_CASE("observed orders of steps, dense output and error estimates") {
  struct Expected {
    std::unique_ptr<Method> method;
    double order, dense;
    std::vector<int> steps;
  };
  std::vector<Expected> methods;
  methods.push_back({make_dormand_prince(), 5.0, 4.0, {12, 17, 24, 34, 48, 68}});
  methods.push_back({make_fehlberg78(), 8.0, 8.0, {3, 4, 5, 6, 8, 10}});
  methods.push_back({make_rodas5p(), 5.0, 4.0, {12, 17, 24, 34, 48, 68}});
  for (Expected& m : methods) {
    CAPTURE(m.method->name());
    std::vector<double> log_dt, log_end, log_between, log_estimate;
    for (int steps : m.steps) {
      const Errors errors = integrate(*m.method, steps);
      log_dt.push_back(-std::log(steps));
      log_end.push_back(std::log(errors.at_end));
      log_between.push_back(std::log(errors.between));
      log_estimate.push_back(std::log(errors.estimate));
    }
    const double order = regression_slope(log_dt, log_end);
    const double dense = regression_slope(log_dt, log_between);
    const double estimate = regression_slope(log_dt, log_estimate);
    MESSAGE(m.method->name() << ": order " << order << ", dense output " << dense
                             << ", error estimate " << estimate);
    CHECK(std::abs(order - m.order) <= 0.35);
    CHECK(dense >= m.dense - 0.35);
    CHECK(std::abs(estimate - m.method->order()) <= 0.35);
  }
}
