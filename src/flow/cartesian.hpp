#pragma once

// The trained blocks in their own coordinates c, w, a …: those in which gradient descent steps, and
// in which the Hessian (3.7) and the modified flow (3.6) are taken.

#include <Eigen/Core>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Flat points x of the trained blocks in the order c (those that move, in the order of subsets),
/// then the plain arrays as the table has them.
class Cartesian {
 public:
  Cartesian(const Stage& stage, const Parameters& start);

  Index size() const { return size_; }
  /// Entries of c in x; 0 if c is not trained.
  Index coefficients() const { return static_cast<Index>(moving_.size()); }
  /// Whether some coefficients move and others, not all 0, are fixed: C_D then changes at first
  /// order.
  bool has_fixed_coefficients() const { return !moving_.empty() && fixed_ > 0.0; }
  Eigen::VectorXd initial_point() const;

  /// C_D = Σ c² (2.2).
  double normalizer(const Eigen::VectorXd& x) const;
  Parameters parameters(const Eigen::VectorXd& x) const;

  /// The point with p = c²/C_D; blocks that are not trained are those of the start.
  void point(const Eigen::VectorXd& x, Point& out) const;
  /// ∇𝓛 in x from the derivatives at the point, (3.1).
  void gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                Eigen::VectorXd& out) const;

  /// Direction of the point of a move of x along u.
  void direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                 Point& out) const;
  /// ∇²𝓛·u in x, from the gradient g at `at` and its derivative dg along direction(x, at, u) =
  /// `along`: the derivative of (3.1), that of the map c → p included.
  void hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                       const Point& along, const Gradient& g, const Gradient& dg,
                       Eigen::VectorXd& out) const;

 private:
  /// Moving numbers of the plain arrays, into x and out of it.
  void gather(const PlainBlocks& from, Eigen::VectorXd& out) const;
  void scatter(const Eigen::VectorXd& x, PlainBlocks& to) const;

  /// The subset of entry i of c in x.
  std::size_t set_of(Index i) const { return moving_[static_cast<std::size_t>(i)]; }

  Parameters start_;
  std::vector<double> start_p_, start_c_;
  std::vector<std::size_t> moving_;  ///< subsets whose coefficient moves
  double fixed_ = 0.0;               ///< Σ c² of the others
  std::vector<MovingPart> parts_;
  Index size_;
};

}  // namespace gihflow
