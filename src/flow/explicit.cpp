// Explicit embedded Runge–Kutta steps, by Boost.Odeint.

#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>
// After the steppers: it specialises their algebra for Eigen.
#include <boost/numeric/odeint/external/eigen/eigen.hpp>

#include "flow/method.hpp"

namespace gihflow {

namespace {

namespace odeint = boost::numeric::odeint;
using State = Eigen::VectorXd;

auto system_of(const RightHandSide& f) {
  return [&f](const State& x, State& dxdt, double) { f(x, dxdt); };
}

/// Dormand–Prince 5(4), first same as last, with its own dense output of order 4.
class DormandPrince final : public Method {
 public:
  int order() const override { return 5; }
  void step(const RightHandSide& f, const State& x, const State& slope, double dt, State& x_new,
            State& slope_new, State& error) override {
    stepper_.do_step(system_of(f), x, slope, 0.0, x_new, slope_new, dt, error);
  }
  void interpolate(const RightHandSide&, const State& x, const State& slope, const State& x_new,
                   const State& slope_new, double dt, double dt_out, State& out) override {
    out.resize(x.size());
    stepper_.calc_state(dt_out, out, x, slope, 0.0, x_new, slope_new, dt);
  }

 private:
  odeint::runge_kutta_dopri5<State> stepper_;
};

/// Fehlberg 7(8). Output inside a step is a shorter step from the same start: exact to the method's
/// order, off the trajectory.
class Fehlberg78 final : public Method {
 public:
  int order() const override { return 8; }
  void step(const RightHandSide& f, const State& x, const State& slope, double dt, State& x_new,
            State& slope_new, State& error) override {
    stepper_.do_step(system_of(f), x, slope, 0.0, x_new, dt, error);
    f(x_new, slope_new);
  }
  void interpolate(const RightHandSide& f, const State& x, const State& slope, const State&,
                   const State&, double, double dt_out, State& out) override {
    State error;
    error.resize(x.size());
    out.resize(x.size());
    stepper_.do_step(system_of(f), x, slope, 0.0, out, dt_out, error);
  }

 private:
  odeint::runge_kutta_fehlberg78<State> stepper_;
};

}  // namespace

std::unique_ptr<Method> make_method(Integrator integrator) {
  if (integrator == Integrator::fehlberg78) return std::make_unique<Fehlberg78>();
  return std::make_unique<DormandPrince>();
}

}  // namespace gihflow
