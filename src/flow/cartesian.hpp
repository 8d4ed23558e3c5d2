#pragma once

// The trained blocks in the coordinates c and plain arrays: those of gradient descent, of the
// Hessian (3.7) and of the modified flow (3.6).

#include <Eigen/Core>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Flat points x of the trained blocks in the order c (the trained c_S, as in subsets()), then the
/// plain arrays as in plain_arrays.
class Cartesian {
 public:
  Cartesian(const Stage& stage, const Parameters& start);

  Index size() const { return size_; }
  /// Number of entries of c in x; 0 if c is not trained.
  Index coefficients() const { return static_cast<Index>(moving_.size()); }
  /// Whether some coefficients are trained and others, not all 0, are fixed: C_D then changes at
  /// first order in the step.
  bool has_fixed_coefficients() const { return !moving_.empty() && fixed_ > 0.0; }
  Eigen::VectorXd initial_point() const;

  /// C_D = Σ c² (2.2).
  double normalizer(const Eigen::VectorXd& x) const;
  Parameters parameters(const Eigen::VectorXd& x) const;

  /// The point with p = c²/C_D; blocks that are not trained are as at the start.
  void point(const Eigen::VectorXd& x, Point& out) const;
  /// ∇𝓛 in x from the derivatives at the point, (3.1).
  void gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                Eigen::VectorXd& out) const;

  /// Derivative of point(x) along u.
  void direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                 Point& out) const;
  /// ∇²𝓛·u in x, from the gradient g at `at` and its derivative dg along direction(x, at, u) =
  /// `along`: the derivative of (3.1), that of the map c → p included.
  void hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                       const Point& along, const Gradient& g, const Gradient& dg,
                       Eigen::VectorXd& out) const;

 private:
  /// Copy the trained entries of the plain arrays into x and out of it.
  void gather(const PlainBlocks& from, Eigen::VectorXd& out) const;
  void scatter(const Eigen::VectorXd& x, PlainBlocks& to) const;

  /// The subset of entry i of c in x.
  std::size_t set_of(Index i) const { return moving_[static_cast<std::size_t>(i)]; }

  Parameters start_;
  std::vector<double> start_p_, start_c_;
  std::vector<std::size_t> moving_;  ///< subsets whose coefficient is trained
  double fixed_ = 0.0;               ///< Σ c² of the others
  std::vector<MovingPart> parts_;
  Index size_;
};

}  // namespace gihflow
