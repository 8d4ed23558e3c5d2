#pragma once

#include <Eigen/Core>
#include <memory>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

class Cartesian;

/// The Hessian ∇²𝓛 at one point in the coordinates of the blocks that a stage trains, in the order
/// c [subsets], w [H, M], a. Products are exact: the derivative of the gradient by dual numbers
/// (Objective::gradient_along) and the chain rule through p = c²/C_D, its second derivative
/// included. `objective` is referred to and must outlive it.
class Hessian {
 public:
  Hessian(const Objective& objective, const Stage& blocks, const Parameters& at);
  ~Hessian();

  Index size() const;
  const Eigen::VectorXd& gradient() const { return gradient_; }  ///< ∇𝓛 [size]
  /// ∇²𝓛·u for u [size], one evaluation of gradient_along.
  Eigen::VectorXd product(const Eigen::VectorXd& u) const;
  /// All of it, column by column and not symmetrised: as many products as it has columns.
  Eigen::MatrixXd dense() const;

 private:
  const Objective& objective_;
  std::unique_ptr<Cartesian> coordinates_;
  Eigen::VectorXd x_, gradient_;
  Point at_;
};

/// λ_max of (3.7), the largest eigenvalue of ∇²𝓛, by Lanczos iteration with full
/// reorthogonalisation (Golub & Van Loan, Matrix Computations, ch. 10) from a fixed start, until
/// the residual bounds its error by `tolerance` relative to the largest absolute eigenvalue found.
/// At most `size` products. NaN where the Hessian is not finite.
double largest_eigenvalue(const Hessian& hessian, double tolerance = 1e-9);

}  // namespace gihflow
