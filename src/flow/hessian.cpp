#include "gihflow/flow/hessian.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "flow/cartesian.hpp"

namespace gihflow {

Hessian::Hessian(const Objective& objective, const Stage& blocks, const Parameters& at)
    : objective_(objective), coordinates_(std::make_unique<Cartesian>(blocks, at)) {
  x_ = coordinates_->initial_point();
  coordinates_->point(x_, at_);
  Gradient g;
  objective_.gradient(at_, g, false);
  coordinates_->gradient(x_, at_, g, gradient_);
}

Hessian::~Hessian() = default;

Index Hessian::size() const {
  return coordinates_->size();
}

Eigen::VectorXd Hessian::product(const Eigen::VectorXd& u) const {
  Point along;
  Gradient g, dg;
  coordinates_->direction(x_, at_, u, along);
  objective_.gradient_along(at_, along, g, dg);
  Eigen::VectorXd out;
  coordinates_->hessian_product(x_, at_, u, along, g, dg, out);
  return out;
}

Eigen::MatrixXd Hessian::dense() const {
  Eigen::MatrixXd all(size(), size());
  for (Index i = 0; i < size(); ++i) all.col(i) = product(Eigen::VectorXd::Unit(size(), i));
  return all;
}

double largest_eigenvalue(const Hessian& hessian, double tolerance) {
  const Index n = hessian.size();
  Eigen::MatrixXd basis(n, n);
  Eigen::VectorXd diagonal(n), coupling(n);
  // Every component takes part, and no symmetry between subsets or heads is respected.
  Eigen::VectorXd q(n);
  for (Index i = 0; i < n; ++i) q[i] = 1.0 + std::sin(static_cast<double>(i + 1));
  q.normalize();
  double largest = std::numeric_limits<double>::quiet_NaN();
  for (Index k = 0; k < n; ++k) {
    basis.col(k) = q;
    Eigen::VectorXd next = hessian.product(q);
    if (!next.allFinite()) return std::numeric_limits<double>::quiet_NaN();
    diagonal[k] = q.dot(next);
    const auto known = basis.leftCols(k + 1);
    for (int pass = 0; pass < 2; ++pass) next -= known * (known.transpose() * next);
    coupling[k] = next.norm();
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ritz;
    ritz.computeFromTridiagonal(diagonal.head(k + 1), coupling.head(k));
    largest = ritz.eigenvalues()[k];
    const double scale = ritz.eigenvalues().cwiseAbs().maxCoeff();
    // A residual this small is rounding: the space is invariant.
    if (coupling[k] <= 1e-14 * scale) break;
    if (coupling[k] * std::abs(ritz.eigenvectors()(k, k)) <= tolerance * scale) break;
    q = next / coupling[k];
  }
  return largest;
}

}  // namespace gihflow
