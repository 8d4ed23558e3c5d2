#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// The Hessian ∇²𝓛 at one point in the coordinates of the blocks that a stage trains, in the order
/// c (the trained c_S, as in subsets()), then the trained parts of the plain arrays as in
/// plain_arrays. Products are exact: the derivative of the gradient by dual numbers
/// (Objective::gradient_along) and the chain rule through p = c²/C_D, its second derivative
/// included.
class Hessian {
 public:
  /// Of the loss at `at`, over the trained blocks; the objective must outlive it.
  Hessian(const Objective& objective, const Stage& blocks, const Parameters& at);
  ~Hessian();

  /// Number of trained entries.
  Index size() const;
  std::vector<double> gradient() const;  ///< ∇𝓛 [size]
  /// ∇²𝓛·u for u [size], one evaluation of gradient_along.
  std::vector<double> product(std::span<const double> u) const;
  /// The full matrix [size, size], column after column, not symmetrised; takes `size` products.
  std::vector<double> dense() const;

 private:
  struct Tangent;  ///< the point, its gradient and their coordinates
  std::unique_ptr<Tangent> tangent_;
};

/// λ_max of (3.7), the largest eigenvalue of ∇²𝓛, by Lanczos iteration with full
/// reorthogonalisation (Golub & Van Loan, Matrix Computations, ch. 10) from a fixed start, until
/// the residual bounds its error by `tolerance` relative to the largest absolute eigenvalue found.
/// At most `size` products. NaN where the Hessian is not finite.
double largest_eigenvalue(const Hessian& hessian, double tolerance = 1e-9);

}  // namespace gihflow
