#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// How a stage or a run ended. Data, not an exception: it is printed, stored and mapped to the
/// exit code.
enum class Outcome {
  running,         ///< not ended yet (a checkpoint's state)
  reached,         ///< the end of the schedule was reached
  step_limit,      ///< --max-steps
  wall_time,       ///< --max-wall
  interrupted,     ///< SIGINT, SIGTERM or a caller's request
  step_underflow,  ///< the step size fell below what flow time can resolve
  non_finite       ///< loss, gradient or state stayed non-finite however small the step
};
/// The outcome as files name it, such as "reached".
std::string to_string(Outcome outcome);
/// Inverse of to_string. Throws InputError for another text.
Outcome parse_outcome(const std::string& text);

/// One recorded point of a stage. Parameters are gauge-fixed: logsumexp θ = log C_D of the stage's
/// start under the flow.
struct Snapshot {
  double t = 0.0;  ///< flow time since the stage's start
  Parameters parameters;
  double loss = 0.0;             ///< nats
  double validation_loss = 0.0;  ///< nats; NaN without validation chains
  double gradient_norm = 0.0;    ///< Euclidean, in (c, w, a) over the trained blocks
  double dissipated = 0.0;       ///< ∫ of the right side of (3.5), nats
  double energy_residual = 0.0;  ///< loss(0) − loss(t) − dissipated, nats

  /// Number by number; a number that is absent (NaN) equals an absent one.
  bool operator==(const Snapshot& other) const;
};

/// What the integrator did in a stage.
struct StepStatistics {
  /// Gradients the integrator asked for: rejected steps and the derivatives of gradients that make
  /// up Jacobians included.
  Index rhs_evaluations = 0;
  Index jacobian_columns = 0;    ///< of them, derivatives of gradients
  Index output_evaluations = 0;  ///< gradients for recorded points
  Index accepted_steps = 0;
  Index rejected_steps = 0;
  Index non_finite_steps = 0;  ///< rejected because a stage, a state or an error was not finite

  bool operator==(const StepStatistics&) const = default;
};

/// The automatic integrator changed its method.
struct IntegratorSwitch {
  double t = 0.0;    ///< flow time since the stage's start
  std::string from;  ///< "dopri5" or "rodas5p"; in older files "rosenbrock4"
  std::string to;
  std::string reason;  ///< with the numbers that decided

  bool operator==(const IntegratorSwitch&) const = default;
};

/// What the flow's integrator needs for the next step, besides the state, t and dt.
struct FlowState {
  std::vector<double> slope;      ///< ẋ at x
  double previous_error = 1e-4;   ///< error norm of the last accepted step, at least 1e-4
  std::vector<double> jacobian;   ///< ∂ẋ/∂x at x, column major; empty where it is not known
  bool stiff = false;             ///< the stiff method is in use
  bool after_rejection = false;   ///< the last step was rejected …
  bool after_non_finite = false;  ///< … because a value was not finite
  Index worst = 0;                ///< component with the largest error in the last step
  Index votes = 0;                ///< steps that spoke for a change of method
  Index against = 0;              ///< steps in a row that spoke against it

  bool operator==(const FlowState&) const = default;
};

/// What gradient descent needs for the next step, besides the point.
struct DescentState {
  Index step = 0;  ///< steps taken in the stage
  /// C_D as (3.2) predicts it from the steps taken: C_D(0) + η²Σ‖∇_c𝓛‖².
  double predicted_normalizer = 0.0;
  /// Moments of the optimizer, one entry per component of the point: velocity of momentum; first,
  /// then second moments of Adam.
  std::vector<double> moments;

  bool operator==(const DescentState&) const = default;
};

/// All that the rest of a stage's trajectory depends on, so that a run can stop after any step and
/// continue with the same bits.
struct StepperState {
  bool active = false;    ///< false: the stage has not begun
  Index next_output = 0;  ///< first output time not recorded yet
  double t = 0.0;         ///< flow time since the stage's start
  double dt = 0.0;        ///< step to try next
  /// Flat state: trained blocks in the order θ (c in descent), w, a; then the dissipated energy.
  std::vector<double> x;
  std::variant<FlowState, DescentState> method;

  bool operator==(const StepperState&) const = default;
};

/// A state inside a stage, kept so that what follows it can be computed again.
struct RestartPoint {
  StepperState stepper;
  StepStatistics statistics;  ///< of the stage so far
  double gauge_drift = 0.0;   ///< of the stage so far

  bool operator==(const RestartPoint&) const = default;
};
inline constexpr Index most_restart_points = 16;  ///< of a stage

/// What was recorded of one stage.
struct StageRecord {
  Stage stage;
  std::vector<Snapshot> snapshots;
  StepStatistics statistics;
  Outcome outcome = Outcome::running;
  std::string integrator;                  ///< "auto", "dopri5", "gd" …
  std::vector<IntegratorSwitch> switches;  ///< in order of time
  double gauge_drift = 0.0;  ///< max |logsumexp θ(t) − log C_D|, 0 where c is not trained
  /// States after every s-th accepted step, s the least power of 2 that leaves fewer than
  /// most_restart_points of them; without those that hold a Jacobian.
  std::vector<RestartPoint> restarts;
  std::string hint;  ///< for an outcome that is a failure: worst component, what to try

  bool operator==(const StageRecord&) const = default;
};

/// What was recorded of a run, stage by stage.
struct Trajectory {
  std::vector<StageRecord> stages;

  bool operator==(const Trajectory&) const = default;
};

/// A run at one moment: what has been recorded and what comes next.
struct TrainingState {
  Parameters initial;  ///< at the start of the run
  Parameters start;    ///< at the start of stage `stage`
  Index stage = 0;     ///< 0-based; schedule.size() when all stages are done
  StepperState stepper;
  Trajectory trajectory;
  Outcome outcome = Outcome::running;

  bool operator==(const TrainingState&) const = default;
};

}  // namespace gihflow
