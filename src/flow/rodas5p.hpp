#pragma once

// Rodas5P, a Rosenbrock method with Boost.Odeint's interface of an error stepper, on Eigen.

#include <Eigen/LU>
#include <boost/numeric/odeint/stepper/stepper_categories.hpp>

namespace gihflow {

/// Rosenbrock method of order 5 with an embedded error estimate of order 4 and dense output of
/// order 4, L-stable and stiffly accurate, for autonomous ẋ = f(x): eight linear systems with the
/// matrix 1/(γ·dt) − J and no iteration (Steinebach, BIT Numerical Mathematics 63, 27 (2023); the
/// scheme is that of RODAS in Hairer & Wanner, Solving ODEs II, IV.7).
class Rodas5P {
 public:
  using value_type = double;
  using time_type = double;
  using state_type = Eigen::VectorXd;
  using deriv_type = Eigen::VectorXd;
  using matrix_type = Eigen::MatrixXd;
  using order_type = unsigned short;
  using stepper_category = boost::numeric::odeint::error_stepper_tag;

  order_type order() const { return 5; }
  order_type stepper_order() const { return 5; }
  order_type error_order() const { return 4; }

  /// From x with slope dxdt = f(x) to x_new, by seven calls of f = system.first(x, dxdt, t) and one
  /// of J = system.second(x, J, t). A singular matrix makes x_new non-finite.
  template <class System>
  void do_step(const System& system, const state_type& x, const deriv_type& dxdt, double t,
               state_type& x_new, double dt, state_type& error) {
    system.second(x, jacobian_, t);
    const Index n = x.size();
    lu_.compute(matrix_type::Identity(n, n) / (gamma * dt) - jacobian_);
    increments_.resize(n, stages);
    at_ = x;
    slope_ = dxdt;
    for (Index i = 0; i < stages; ++i) {
      if (i > 0) {
        if (i <= inner)
          at_ = x + increments_.leftCols(i) * a.row(i - 1).head(i).transpose();
        else
          at_ += increments_.col(i - 1);
        system.first(at_, slope_, t);
        slope_ += increments_.leftCols(i) * c.row(i - 1).head(i).transpose() / dt;
      }
      increments_.col(i) = lu_.solve(slope_);
    }
    error = increments_.col(stages - 1);
    x_new = at_ + error;
  }

  /// State at the fraction `part` of the last step, which led from x to x_new.
  void calc_state(double part, state_type& out, const state_type& x, const state_type& x_new) {
    const Eigen::Vector3d powers(1.0, part, part * part);
    out = (1.0 - part) * x + part * (x_new + (1.0 - part) * (increments_ * (h * powers)));
  }

 private:
  using Index = Eigen::Index;
  static constexpr Index stages = 8, inner = 5;
  static constexpr double gamma = 0.21193756319429014;
  /// Row i: coefficients of the earlier increments in the argument of f in stage i + 1. Stages
  /// after `inner` add the previous increment to the previous argument.
  static const Eigen::Matrix<double, 5, 5> a;
  static const Eigen::Matrix<double, 7, 7> c;  ///< coefficients of the increments added to f
  static const Eigen::Matrix<double, 8, 3> h;  ///< dense output, by powers of `part`

  matrix_type jacobian_, increments_;
  Eigen::PartialPivLU<matrix_type> lu_;
  state_type at_, slope_;
};

}  // namespace gihflow
