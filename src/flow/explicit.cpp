// Explicit embedded Runge–Kutta steps, by Boost.Odeint.

#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>
// Must come after the steppers: it specialises their algebra for Eigen.
#include <boost/numeric/odeint/external/eigen/eigen.hpp>

#include "flow/method.hpp"

namespace gihflow {

namespace {

namespace odeint = boost::numeric::odeint;
using State = Eigen::VectorXd;

/// f in the form that Boost.Odeint calls; keeps argument and result of the last call in `end`,
/// except of f(x_new).
auto system_of(const RightHandSide& f, StepEnd& end) {
  return [&f, &end](const State& x, State& dxdt, double) {
    f(x, dxdt);
    if (&dxdt == &end.slope) return;
    end.stage = x;
    end.stage_slope = dxdt;
  };
}

class DormandPrince final : public Method {
 public:
  std::string name() const override { return "dopri5"; }
  int order() const override { return 5; }
  void step(const RightHandSide& f, const StepStart& start, double dt, StepEnd& end) override {
    stepper_.do_step(system_of(f, end), start.x, start.slope, 0.0, end.x, end.slope, dt, end.error);
  }
  void interpolate(const RightHandSide&, const StepStart& start, const StepEnd& end, double dt,
                   double dt_out, State& out) override {
    out.resize(start.x.size());
    stepper_.calc_state(dt_out, out, start.x, start.slope, 0.0, end.x, end.slope, dt);
  }

 private:
  odeint::runge_kutta_dopri5<State> stepper_;
};

class Fehlberg78 final : public Method {
 public:
  std::string name() const override { return "fehlberg78"; }
  int order() const override { return 8; }
  void step(const RightHandSide& f, const StepStart& start, double dt, StepEnd& end) override {
    stepper_.do_step(system_of(f, end), start.x, start.slope, 0.0, end.x, dt, end.error);
    f(end.x, end.slope);
  }
  void interpolate(const RightHandSide& f, const StepStart& start, const StepEnd&, double,
                   double dt_out, State& out) override {
    StepEnd scratch;
    scratch.error.resize(start.x.size());
    out.resize(start.x.size());
    stepper_.do_step(system_of(f, scratch), start.x, start.slope, 0.0, out, dt_out, scratch.error);
  }

 private:
  odeint::runge_kutta_fehlberg78<State> stepper_;
};

}  // namespace

std::unique_ptr<Method> make_dormand_prince() {
  return std::make_unique<DormandPrince>();
}
std::unique_ptr<Method> make_fehlberg78() {
  return std::make_unique<Fehlberg78>();
}

}  // namespace gihflow
