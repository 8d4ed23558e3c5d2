#pragma once

// One step of an integrator, without step size control: the interface of methods to Integration.

#include <Eigen/Core>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

namespace gihflow {

/// Thrown for a state, slope or Jacobian that is not finite; Integration then rejects the step.
struct NonFinite {
  Eigen::Index component;  ///< of the state
};

/// Throws NonFinite for the first component that is not finite.
inline void require_finite(const Eigen::Ref<const Eigen::VectorXd>& x) {
  for (Eigen::Index i = 0; i < x.size(); ++i)
    if (!std::isfinite(x[i])) throw NonFinite{i};
}

/// ẋ = f(x); the flow is autonomous.
using RightHandSide = std::function<void(const Eigen::VectorXd& x, Eigen::VectorXd& dxdt)>;

/// Start of a step. The Jacobian ∂f/∂x at x is empty unless the method uses it.
struct StepStart {
  Eigen::VectorXd x, slope;
  Eigen::MatrixXd jacobian;
};

/// End of a step: state, slope and error estimate. Explicit methods also give their last stage
/// before x, an approximation at the same time, and the slope there: |slope − stage_slope|/|x −
/// stage| estimates the spectral radius of the Jacobian (Hairer & Wanner, Solving ODEs II, IV.2).
struct StepEnd {
  Eigen::VectorXd x, slope, error;
  Eigen::VectorXd stage, stage_slope;
  Eigen::MatrixXd jacobian;  ///< ∂f/∂x at x if it was computed, else empty
};

class Method {
 public:
  virtual ~Method() = default;
  virtual std::string name() const = 0;
  /// Order of the error estimate plus one: err ~ dt^order.
  virtual int order() const = 0;
  virtual bool uses_jacobian() const { return false; }
  /// One step of size dt.
  virtual void step(const RightHandSide& f, const StepStart& start, double dt, StepEnd& end) = 0;
  /// State at time dt_out after the start of the last step (0 < dt_out ≤ dt), from the arguments
  /// and results of that step; may call f, which is counted as output evaluations.
  virtual void interpolate(const RightHandSide& f, const StepStart& start, const StepEnd& end,
                           double dt, double dt_out, Eigen::VectorXd& out) = 0;
};

/// Dormand–Prince 5(4), first same as last, dense output of order 4. Stable on the negative real
/// axis as long as dt·|λ| ≤ dormand_prince_stability.
std::unique_ptr<Method> make_dormand_prince();
inline constexpr double dormand_prince_stability = 3.25;

/// Fehlberg 7(8). A state inside a step is computed by a shorter step from the same start, accurate
/// to the method's order.
std::unique_ptr<Method> make_fehlberg78();

/// Rodas5P, order 5(4), linearly implicit and L-stable, dense output of order 4.
std::unique_ptr<Method> make_rodas5p();

}  // namespace gihflow
