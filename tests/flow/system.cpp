#include "flow/system.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/flow/schedule.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using State = Eigen::VectorXd;

/// ∂f/∂x by central differences with one Richardson extrapolation: error O(h⁴).
Eigen::MatrixXd differences(StageSystem& system, const State& x, double h) {
  Eigen::MatrixXd j(x.size(), x.size());
  auto central = [&](Index k, double step) {
    State up = x, down = x, f_up, f_down;
    up[k] += step;
    down[k] -= step;
    system.slope(up, f_up);
    system.slope(down, f_down);
    return State((f_up - f_down) / (2.0 * step));
  };
  for (Index k = 0; k < x.size(); ++k) j.col(k) = (4.0 * central(k, 0.5 * h) - central(k, h)) / 3.0;
  return j;
}

}  // namespace

TEST_CASE("the Jacobian is that of the right-hand side") {
  Model partial;
  partial.boundary = Boundary::partial;
  partial.head_windows = HeadWindows::shifted;
  partial.head_normalization = HeadNormalization::l2;
  partial.readout = Readout::softmax;
  for (const Model& model : {Model{}, partial})
    for (Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
      const Index chains = engine == Engine::reference ? 2 : 23;
      const auto objective = make_objective(model, *sample_prior(sampling(chains, 20)), engine);
      // derivatives = columns less one for each softmax
      const std::pair<const char*, Index> expected[] = {
          {"c:1", 6},  {"w:1", 6},    {"a:1", 1},         {"cw:1", 12},
          {"ca:1", 7}, {"cwa:1", 13}, {"c{1}{1,3}:1", 2}, {"c{}{2}w[2]a:1", 5}};
      for (const auto& [stages, columns] : expected) {
        const std::string schedule = stages;
        CAPTURE(schedule);
        const Coordinates coordinates(parse_schedule(schedule)[0], generic_point(model));
        StageSystem system(*objective, coordinates);
        const State x = coordinates.initial_state();
        Eigen::MatrixXd exact;
        CHECK(system.jacobian(x, exact) == columns);
        const Eigen::MatrixXd approximate = differences(system, x, 1e-2);
        // by rows: θ̇ is 4/C_D times larger than the others
        for (Index i = 0; i < x.size(); ++i)
          CHECK((exact.row(i) - approximate.row(i)).cwiseAbs().maxCoeff() <=
                1e-7 * approximate.row(i).cwiseAbs().maxCoeff() + 1e-12);
        CHECK(exact.col(x.size() - 1).isZero(0.0));
      }
    }
}

TEST_CASE("coefficients that are zero, or whose weight underflows, cost no derivative") {
  const auto objective = make_objective({}, *sample_prior(sampling(20, 40)));
  Parameters start = generic_point({});
  start.log_c_squared[1] = -INFINITY;  // not a component at all
  start.c_sign[1] = 0;
  const Coordinates coordinates(parse_schedule("cwa:1")[0], start);
  StageSystem system(*objective, coordinates);
  State x = coordinates.initial_state();
  CHECK(x.size() == 17);
  Eigen::MatrixXd exact;
  CHECK(system.jacobian(x, exact) == 12);
  x[0] = -1e8;  // p = 0, and still a component that moves
  x[3] = -1490.0;
  CHECK(system.jacobian(x, exact) == 10);
  CHECK(exact.col(0).isZero(0.0));
  CHECK(exact.row(0).cwiseAbs().maxCoeff() > 0.0);
  const Eigen::MatrixXd approximate = differences(system, x, 1e-2);
  for (Index i = 0; i < x.size(); ++i)
    CHECK((exact.row(i) - approximate.row(i)).cwiseAbs().maxCoeff() <=
          1e-7 * approximate.row(i).cwiseAbs().maxCoeff() + 1e-12);
}

TEST_CASE("what is not finite throws and names the component") {
  struct Broken : Wrapped {
    using Wrapped::Wrapped;
    void gradient_along(const Point& at, const Point& along, Gradient& out,
                        Gradient& derivative) const override {
      Wrapped::gradient_along(at, along, out, derivative);
      derivative.a = std::nan("");
    }
  };
  const auto inner = make_objective({}, *sample_prior(sampling(5, 40)));
  const Broken objective(*inner);
  const Coordinates coordinates(parse_schedule("cwa:1")[0], generic_point({}));
  StageSystem system(objective, coordinates);
  State x = coordinates.initial_state(), slope;
  Eigen::MatrixXd j;
  auto component = [](auto&& action) {
    try {
      action();
    } catch (const NonFinite& fault) {
      return fault.component;
    }
    return Index{-1};
  };
  CHECK(component([&] { system.jacobian(x, j); }) == 16);
  CHECK(component([&] { system.slope(x, slope); }) == -1);
  x[8] = INFINITY;
  CHECK(component([&] { system.slope(x, slope); }) == 8);
}

TEST_CASE("spectral radius by hand, zero columns and scales left aside") {
  Eigen::MatrixXd j(3, 3);
  j << 0.0, 4.0, 0.0,  //
      -1.0, 0.0, 0.0,  //
      1e9, -1e9, 0.0;
  CHECK(close(spectral_radius(j), 2.0, 16.0));  // ±2i
  j(2, 2) = -3.0;
  CHECK(std::abs(spectral_radius(j) - 3.0) <= tolerance<double>(9.0, 1e9));  // not normal at all
  CHECK(spectral_radius(Eigen::MatrixXd::Zero(4, 4)) == 0.0);
}

TEST_CASE("errors of logits are measured on a scale that knows no origin") {
  Parameters start = generic_point({});
  const Coordinates coordinates(parse_schedule("cwa:1")[0], start);
  Parameters moved = start;  // c ten times larger: p, and what matters of θ, stay the same
  for (double& theta : moved.log_c_squared) theta += 2.0 * std::log(10.0);
  const Coordinates others(parse_schedule("cwa:1")[0], moved);
  State x = coordinates.initial_state(), y = others.initial_state();
  x[2] = -5000.0, y[2] = -5000.0 + 2.0 * std::log(10.0);
  x[9] = y[9] = 1e-9;
  x[10] = y[10] = -40.0;
  const State m = coordinates.magnitude(x);
  const State n = others.magnitude(y);
  CHECK((m - n).cwiseAbs().maxCoeff() <= tolerance<double>(8.0, 5000.0));
  CHECK(m[0] >= 1.0);
  CHECK(m[2] == doctest::Approx(5000.0).epsilon(0.01));
  CHECK(m[9] == 1.0);
  CHECK(m[10] == 40.0);
  CHECK(m[16] == 1.7);
  CHECK(m[17] == 0.0);
}
