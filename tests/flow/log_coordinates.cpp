// What log coordinates (3.3) are for: right-hand sides that stage I takes in θ = log c² and in c
// itself.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "flow/method.hpp"
#include "flow/system.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using State = Eigen::VectorXd;
using JacobianOf = std::function<void(const State&, Eigen::MatrixXd&)>;

/// Integrates ẋ = f(x) over `duration` with the error of a step kept below atol + rtol·|x|; false
/// if it takes more than `most` right-hand sides, Jacobian columns included.
bool integrate(Method& method, const RightHandSide& f, const JacobianOf& jacobian, State& x,
               double duration, const Index& count, Index most) {
  constexpr double rtol = 1e-6, atol = 1e-9;
  StepStart start;
  StepEnd end;
  start.x = x;
  f(start.x, start.slope);
  double t = 0.0, dt = 1e-3;
  while (t < duration && count <= most) {
    dt = std::min(dt, duration - t);
    if (method.uses_jacobian() && start.jacobian.size() == 0) jacobian(start.x, start.jacobian);
    method.step(f, start, dt, end);
    double error = 0.0;
    for (Index i = 0; i < x.size(); ++i)
      error =
          std::max(error, std::abs(end.error[i]) /
                              (atol + rtol * std::max(std::abs(start.x[i]), std::abs(end.x[i]))));
    const double factor = 0.9 * std::pow(std::max(error, 1e-10), -1.0 / method.order());
    if (!(error <= 1.0)) {
      dt *= std::isfinite(error) ? std::max(0.2, factor) : 0.1;
      continue;
    }
    t += dt;
    dt *= std::clamp(factor, 0.2, 10.0);
    std::swap(start.x, end.x);
    std::swap(start.slope, end.slope);
    start.jacobian.resize(0, 0);
  }
  x = start.x;
  return t >= duration;
}

/// Stage I of the paper in c itself, ċ = −∂𝓛/∂c, its Jacobian by forward differences.
Index count_in_c(const Objective& objective, Method& method, State& c, Index most) {
  Parameters at = initial_parameters({}, {});
  Gradient gradient;
  Index count = 0;
  auto f = [&](const State& x, State& dxdt) {
    ++count;
    at.set_c({x.data(), static_cast<std::size_t>(x.size())});
    objective.gradient(point_of(at), gradient, false);
    const std::vector<double> slope = c_gradient(at, gradient);
    dxdt = -Eigen::Map<const State>(slope.data(), x.size());
  };
  auto jacobian = [&](const State& x, Eigen::MatrixXd& j) {
    State y, z;
    f(x, y);
    j.resize(x.size(), x.size());
    for (Index k = 0; k < x.size(); ++k) {
      State moved = x;
      moved[k] += 1e-8 * std::max(std::abs(x[k]), 1e-4);
      f(moved, z);
      j.col(k) = (z - y) / (moved[k] - x[k]);
    }
  };
  const std::vector<double> start = at.c();
  c = Eigen::Map<const State>(start.data(), static_cast<Index>(start.size()));
  integrate(method, f, jacobian, c, 2000.0, count, most);
  return count;
}

/// The same in θ, as the driver does it.
Index count_in_theta(const Objective& objective, Method& method, std::vector<double>& p,
                     Index most) {
  const Coordinates coordinates(parse_schedule("c:2000")[0], initial_parameters({}, {}));
  StageSystem system(objective, coordinates);
  Index count = 0;
  State x = coordinates.initial_state();
  integrate(
      method,
      [&](const State& at, State& dxdt) {
        ++count;
        system.slope(at, dxdt);
      },
      [&](const State& at, Eigen::MatrixXd& j) { count += system.jacobian(at, j); }, x, 2000.0,
      count, most);
  p = coordinates.point(x).p;
  return count;
}

}  // namespace

TEST_CASE("stage I is stiff in c and straight lines in log coordinates") {
  const auto objective = make_objective({}, *sample_prior(sampling(200)));
  State c;
  std::vector<double> p;
  const auto dopri5 = make_dormand_prince();
  const auto rodas5p = make_rodas5p();
  const Index most = 100000;
  const Index dopri5_theta = count_in_theta(*objective, *dopri5, p, most);
  const Index dopri5_c = count_in_c(*objective, *dopri5, c, most);
  CHECK(std::abs(c[4] * c[4] / c.squaredNorm() - p[4]) <= 1e-9);
  const Index implicit_theta = count_in_theta(*objective, *rodas5p, p, most);
  const Index implicit_c = count_in_c(*objective, *rodas5p, c, most);
  CHECK(std::abs(c[4] * c[4] / c.squaredNorm() - p[4]) <= 1e-9);
  MESSAGE("right-hand sides of stage I: dopri5 " << dopri5_theta << " in theta, " << dopri5_c
                                                 << " in c; rodas5p " << implicit_theta
                                                 << " in theta, " << implicit_c << " in c");
  CHECK(dopri5_theta <= 300);
  CHECK(dopri5_c >= 50 * dopri5_theta);
  CHECK(implicit_theta <= 1500);
}
