#pragma once

// The trained blocks in their own coordinates (c, w, a): those in which gradient descent steps, and
// in which the Hessian (3.7) and the modified flow (3.6) are taken.

#include <Eigen/Core>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Flat points x of the trained blocks in the order c [subsets], w [H, M], a.
class Cartesian {
 public:
  Cartesian(const Stage& stage, const Parameters& start);

  Index size() const { return size_; }
  Index coefficients() const {
    return coefficients_;
  }                                         ///< entries of c in x; 0 if c is not trained
  Index logits() const { return logits_; }  ///< entries of w in x
  Eigen::VectorXd initial_point() const;

  /// C_D = Σ c² (2.2).
  double normalizer(const Eigen::VectorXd& x) const;
  Parameters parameters(const Eigen::VectorXd& x) const;

  /// (p, w, a) with p = c²/C_D; blocks that are not trained are those of the start.
  void point(const Eigen::VectorXd& x, Point& out) const;
  /// ∇𝓛 in x from the derivatives in (p, w, a), (3.1).
  void gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                Eigen::VectorXd& out) const;

  /// Direction in (p, w, a) of a move of x along u.
  void direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                 Point& out) const;
  /// ∇²𝓛·u in x, from the gradient g at `at` and its derivative dg along direction(x, at, u) =
  /// `along`: the derivative of (3.1), that of the map c → p included.
  void hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                       const Point& along, const Gradient& g, const Gradient& dg,
                       Eigen::VectorXd& out) const;

 private:
  Stage stage_;
  Parameters start_;
  std::vector<double> start_p_, start_c_;
  Index coefficients_, logits_, size_;
};

}  // namespace gihflow
