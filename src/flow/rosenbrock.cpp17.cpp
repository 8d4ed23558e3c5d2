// uBLAS' debug checks multiply factors back and compare with a fixed tolerance, which matrices of
// such different scales in their rows do not pass.
#define BOOST_UBLAS_NDEBUG 1

#include <algorithm>
#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>

#include "flow/rosenbrock.hpp"

namespace gihflow {

struct RosenbrockStep::Stepper {
  using Vector = boost::numeric::ublas::vector<double>;
  using Matrix = boost::numeric::ublas::matrix<double>;
  explicit Stepper(std::size_t size) : x(size), x_new(size), error(size) {}

  boost::numeric::odeint::rosenbrock4<double> method;
  Vector x, x_new, error;
};

RosenbrockStep::RosenbrockStep(std::size_t size) : stepper_(std::make_unique<Stepper>(size)) {}
RosenbrockStep::~RosenbrockStep() = default;

void RosenbrockStep::step(const RightHandSide& f, const double* x, const double* slope,
                          const double* jacobian, double dt, double* x_new, double* error) {
  Stepper& s = *stepper_;
  const std::size_t n = s.x.size();
  std::copy(x, x + n, s.x.begin());
  bool first = true;
  auto right_hand_side = [&](const Stepper::Vector& at, Stepper::Vector& dxdt, double) {
    if (first)  // at x itself
      std::copy(slope, slope + n, dxdt.begin());
    else
      f(&at[0], &dxdt[0]);
    first = false;
  };
  auto derivatives = [&](const Stepper::Vector&, Stepper::Matrix& j, double,
                         Stepper::Vector& dfdt) {
    std::copy(jacobian, jacobian + n * n, j.data().begin());
    std::fill(dfdt.begin(), dfdt.end(), 0.0);
  };
  s.method.do_step(std::make_pair(right_hand_side, derivatives), s.x, 0.0, s.x_new, dt, s.error);
  s.method.prepare_dense_output();
  std::copy(s.x_new.begin(), s.x_new.end(), x_new);
  std::copy(s.error.begin(), s.error.end(), error);
}

void RosenbrockStep::interpolate(const double* x, const double* x_new, double dt, double dt_out,
                                 double* out) {
  Stepper& s = *stepper_;
  std::copy(x, x + s.x.size(), s.x.begin());
  std::copy(x_new, x_new + s.x.size(), s.x_new.begin());
  s.method.calc_state(dt_out, s.error, s.x, 0.0, s.x_new, dt);
  std::copy(s.error.begin(), s.error.end(), out);
}

}  // namespace gihflow
