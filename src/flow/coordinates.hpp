#pragma once

// The flat state of a stage and the right-hand side of the flow in it, formulas (3.1)–(3.5).

#include <Eigen/Core>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// State of a stage: the trained blocks in the order θ (trained coefficients that are not zero),
/// then the plain arrays as in plain_arrays, then the dissipated energy of (3.5). If all
/// coefficients are trained, C_D is conserved (3.2) and logsumexp θ is a gauge, on which the slope
/// does not depend. If some are fixed, Σ e^θ is C_D and changes.
class Coordinates {
 public:
  Coordinates(const Stage& stage, const Parameters& start);

  const Stage& stage() const { return stage_; }
  Index size() const { return size_; }
  Index thetas() const { return static_cast<Index>(active_.size()); }
  Eigen::VectorXd initial_state() const;

  /// Parameters of a state, gauge-fixed where there is a gauge: logsumexp θ = log C_D of the
  /// stage's start.
  Parameters parameters(const Eigen::VectorXd& x) const;
  double dissipated(const Eigen::VectorXd& x) const { return x[size_ - 1]; }
  /// logsumexp θ − log C_D; 0 where there is no gauge.
  double gauge_shift(const Eigen::VectorXd& x) const;
  /// Change of gauge_shift(x) by a small error of the state x, Σ p_S δθ_S.
  double gauge_error(const Eigen::VectorXd& x, const Eigen::VectorXd& error) const;

  /// The point of a state.
  Point point(const Eigen::VectorXd& x) const;
  /// ẋ from the gradient at a state's point: θ̇_S = (4/C_D)(g_S − ḡ), computed from p and never by
  /// dividing by e^θ (3.3); ẇ, ȧ; and the rate of dissipation (3.5).
  void slope(const Eigen::VectorXd& x, const Point& at, const Gradient& gradient,
             Eigen::VectorXd& dxdt) const;
  /// Derivative of the point along state component k (not the last).
  Point tangent(const Point& at, Index k) const;
  /// Column k of the Jacobian of ẋ, from the gradient and its derivative along tangent(at, k).
  void jacobian_column(const Eigen::VectorXd& x, Index k, const Point& at, const Gradient& gradient,
                       const Point& along, const Gradient& derivative,
                       Eigen::Ref<Eigen::VectorXd> column) const;
  /// Ranges [begin, end) of components that enter ẋ only through their softmax: θ if all
  /// coefficients are trained, and w of each head. Their columns of the Jacobian add up to zero.
  std::vector<std::pair<Index, Index>> softmax_groups(const Model& model) const;
  /// Magnitude that an error in each component is compared with: ErrorScale of its block; max(|θ −
  /// log C_D|, 1) for θ, since an error δ changes the softmax by a factor 1 + δ whatever θ is; the
  /// dissipated energy itself.
  Eigen::VectorXd magnitude(const Eigen::VectorXd& x) const;
  /// Rate of dissipation, the squared norm of the gradient over the trained blocks.
  double dissipation(const Eigen::VectorXd& x, const Point& at, const Gradient& gradient) const;

  /// Name of a component for messages: "θ{1,2}", "w[1,2]" of head 1 at component 2, "a",
  /// "query[1,2,3]".
  std::string component(Index i) const;

 private:
  double mean_gain(const Point& at, const Gradient& gradient) const;
  /// θ of all subsets if some coefficients are fixed.
  std::vector<double> theta(const Eigen::VectorXd& x) const;
  /// 4/C_D at a state.
  double rate(const Eigen::VectorXd& x) const;

  Stage stage_;
  Parameters start_;
  std::vector<Index> active_;  ///< subsets with c_S ≠ 0 whose coefficient is trained
  bool all_active_ = true;     ///< whether all with c_S ≠ 0 are
  double log_normalizer_;      ///< log C_D at the start
  double rate_;                ///< 4/C_D at the start
  std::vector<MovingPart> parts_;
  Index size_;
};

}  // namespace gihflow
