#include "gihflow/flow/hessian.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "flow/cartesian.hpp"

namespace gihflow {

struct Hessian::Tangent {
  Tangent(const Objective& f, const Stage& blocks, const Parameters& parameters)
      : objective(f), coordinates(blocks, parameters), x(coordinates.initial_point()) {
    coordinates.point(x, at);
    Gradient g;
    objective.gradient(at, g, false);
    coordinates.gradient(x, at, g, gradient);
  }

  Eigen::VectorXd product(const Eigen::VectorXd& u) const {
    Point along;
    Gradient g, dg;
    coordinates.direction(x, at, u, along);
    objective.gradient_along(at, along, g, dg);
    Eigen::VectorXd out;
    coordinates.hessian_product(x, at, u, along, g, dg, out);
    return out;
  }

  const Objective& objective;
  Cartesian coordinates;
  Eigen::VectorXd x, gradient;
  Point at;
};

Hessian::Hessian(const Objective& objective, const Stage& blocks, const Parameters& at)
    : tangent_(std::make_unique<Tangent>(objective, blocks, at)) {}

Hessian::~Hessian() = default;

Index Hessian::size() const {
  return tangent_->coordinates.size();
}

std::vector<double> Hessian::gradient() const {
  return {tangent_->gradient.begin(), tangent_->gradient.end()};
}

std::vector<double> Hessian::product(std::span<const double> u) const {
  const Eigen::VectorXd out =
      tangent_->product(Eigen::Map<const Eigen::VectorXd>(u.data(), size()));
  return {out.begin(), out.end()};
}

std::vector<double> Hessian::dense() const {
  std::vector<double> all;
  for (Index i = 0; i < size(); ++i) {
    const Eigen::VectorXd column = tangent_->product(Eigen::VectorXd::Unit(size(), i));
    all.insert(all.end(), column.begin(), column.end());
  }
  return all;
}

double largest_eigenvalue(const Hessian& hessian, double tolerance) {
  const Index n = hessian.size();
  Eigen::MatrixXd basis(n, n);
  Eigen::VectorXd diagonal(n), coupling(n);
  // A start with a part in every direction, without symmetry between subsets or heads.
  Eigen::VectorXd q(n);
  for (Index i = 0; i < n; ++i) q[i] = 1.0 + std::sin(static_cast<double>(i + 1));
  q.normalize();
  double largest = std::numeric_limits<double>::quiet_NaN();
  for (Index k = 0; k < n; ++k) {
    basis.col(k) = q;
    const std::vector<double> image = hessian.product({q.data(), static_cast<std::size_t>(n)});
    Eigen::VectorXd next = Eigen::Map<const Eigen::VectorXd>(image.data(), n);
    if (!next.allFinite()) return std::numeric_limits<double>::quiet_NaN();
    diagonal[k] = q.dot(next);
    const auto known = basis.leftCols(k + 1);
    for (int pass = 0; pass < 2; ++pass) next -= known * (known.transpose() * next);
    coupling[k] = next.norm();
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ritz;
    ritz.computeFromTridiagonal(diagonal.head(k + 1), coupling.head(k));
    largest = ritz.eigenvalues()[k];
    const double scale = ritz.eigenvalues().cwiseAbs().maxCoeff();
    // A residual this small is rounding: the Krylov space is invariant.
    if (coupling[k] <= 1e-14 * scale) break;
    if (coupling[k] * std::abs(ritz.eigenvectors()(k, k)) <= tolerance * scale) break;
    q = next / coupling[k];
  }
  return largest;
}

}  // namespace gihflow
