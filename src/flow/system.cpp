#include "flow/system.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <limits>
#include <vector>

namespace gihflow {

void StageSystem::slope(const Eigen::VectorXd& x, Eigen::VectorXd& dxdt) {
  require_finite(x);
  const Point at = coordinates_.point(x);
  objective_.gradient_in(wanted_, at, gradient_, false);
  coordinates_.slope(x, at, gradient_, dxdt);
  require_finite(dxdt);
}

Index StageSystem::jacobian(const Eigen::VectorXd& x, Eigen::MatrixXd& j) {
  const Index n = coordinates_.size();
  const Point at = coordinates_.point(x);
  j.setZero(n, n);
  // The column of the largest entry of each softmax is left out: it is the largest, and computing a
  // small one as a difference would cancel.
  std::vector<Index> left_out;
  const auto groups = coordinates_.softmax_groups(objective_.model());
  for (auto [begin, end] : groups)
    left_out.push_back(std::max_element(x.data() + begin, x.data() + end) - x.data());
  Index derivatives = 0;
  for (Index k = 0; k + 1 < n; ++k) {
    if (std::find(left_out.begin(), left_out.end(), k) != left_out.end()) continue;
    const Point along = coordinates_.tangent(at, k);
    if (k < coordinates_.thetas() &&
        std::all_of(along.p.begin(), along.p.end(), [](double p) { return p == 0.0; }))
      continue;
    objective_.gradient_along(at, along, gradient_, derivative_);
    ++derivatives;
    coordinates_.jacobian_column(x, k, at, gradient_, along, derivative_, j.col(k));
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto [begin, end] = groups[g];
    const Eigen::VectorXd sum = j.middleCols(begin, end - begin).rowwise().sum();
    j.col(left_out[g]) = -sum;
  }
  for (Index k = 0; k < n; ++k) require_finite(j.col(k));
  return derivatives;
}

double spectral_radius(const Eigen::MatrixXd& j) {
  std::vector<Eigen::Index> live;
  for (Eigen::Index k = 0; k < j.cols(); ++k)
    if (!j.col(k).isZero(0.0)) live.push_back(k);
  if (live.empty()) return 0.0;
  Eigen::EigenSolver<Eigen::MatrixXd> solver(j(live, live), false);
  if (solver.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  return solver.eigenvalues().cwiseAbs().maxCoeff();
}

}  // namespace gihflow
