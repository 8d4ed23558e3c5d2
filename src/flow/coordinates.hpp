#pragma once

// The flat state of a stage and the right-hand side of the flow in it, formulas (3.1)–(3.5).

#include <Eigen/Core>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// State of a stage: the trained blocks in the order θ (coefficients that are not zero and move),
/// then the plain arrays as the table has them; then the dissipated energy of (3.5). Where all
/// coefficients move, C_D is conserved (3.2) and the sum of e^θ is a gauge; where some are fixed it
/// is C_D, which changes.
class Coordinates {
 public:
  Coordinates(const Stage& stage, const Parameters& start);

  Index size() const { return size_; }
  Index thetas() const { return static_cast<Index>(active_.size()); }
  Eigen::VectorXd initial_state() const;

  /// Parameters of a state, gauge-fixed where there is a gauge: logsumexp θ = log C_D of the
  /// stage's start.
  Parameters parameters(const Eigen::VectorXd& x) const;
  double dissipated(const Eigen::VectorXd& x) const { return x[size_ - 1]; }
  /// logsumexp θ − log C_D; 0 where there is no gauge.
  double gauge_shift(const Eigen::VectorXd& x) const;
  /// What a small error of the state x changes it by, Σ p_S δθ_S.
  double gauge_error(const Eigen::VectorXd& x, const Eigen::VectorXd& error) const;

  /// The point of a state.
  Point point(const Eigen::VectorXd& x) const;
  /// ẋ from the gradient at a state's point: θ̇_S = (4/C_D)(g_S − ḡ), computed from p and never by
  /// dividing by e^θ (3.3); ẇ, ȧ; and the rate of dissipation (3.5).
  void slope(const Eigen::VectorXd& x, const Point& at, const Gradient& gradient,
             Eigen::VectorXd& dxdt) const;
  /// The same for a displaced state: the direction of the point along state component k (not the
  /// last) …
  Point tangent(const Point& at, Index k) const;
  /// … and column k of the Jacobian of ẋ, from the gradient and its derivative along tangent(at,
  /// k).
  void jacobian_column(const Eigen::VectorXd& x, Index k, const Point& at, const Gradient& gradient,
                       const Point& along, const Gradient& derivative,
                       Eigen::Ref<Eigen::VectorXd> column) const;
  /// Components [begin, end) of the state that enter ẋ through their softmax alone: θ where all
  /// move, and w of each head. Their columns of the Jacobian add up to zero.
  std::vector<std::pair<Index, Index>> softmax_groups(const Model& model) const;
  /// What an error in each component is to be compared with: ErrorScale of its block, 0 for the
  /// dissipated energy. For θ, counted from log C_D, and other logits at least 1, since adding δ to
  /// one changes its softmax by a factor 1 + δ wherever it stands.
  Eigen::VectorXd magnitude(const Eigen::VectorXd& x) const;
  /// Rate of dissipation, the squared norm of the gradient over the trained blocks.
  double dissipation(const Eigen::VectorXd& x, const Point& at, const Gradient& gradient) const;

  /// Name of a component for messages: "θ{1,2}", "w[1,2]" of head 1 at component 2, "a",
  /// "query[1,2,3]".
  std::string component(Index i) const;

 private:
  double mean_gain(const Point& at, const Gradient& gradient) const;
  /// θ of all subsets at a state that has no gauge.
  std::vector<double> theta(const Eigen::VectorXd& x) const;
  /// 4/C_D at a state.
  double rate(const Eigen::VectorXd& x) const;

  Stage stage_;
  Parameters start_;
  std::vector<Index> active_;  ///< subsets with c_S ≠ 0 whose coefficient moves
  bool all_active_ = true;     ///< all with c_S ≠ 0 do
  double log_normalizer_;      ///< log C_D at the start
  double rate_;                ///< 4/C_D at the start
  std::vector<MovingPart> parts_;
  Index size_;
};

}  // namespace gihflow
