#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// How a stage or a run ended. It is printed, stored and mapped to the exit code; nothing is thrown
/// for it.
enum class Outcome {
  running,         ///< not ended yet, as in a checkpoint
  reached,         ///< the end of the schedule was reached
  step_limit,      ///< the limit on steps was reached
  wall_time,       ///< the limit on wall time was reached
  interrupted,     ///< SIGINT, SIGTERM or a caller's request
  step_underflow,  ///< the step size fell below what flow time can resolve
  non_finite       ///< loss, gradient or state stayed non-finite however small the step
};
/// The outcome as files name it, such as "reached".
std::string to_string(Outcome outcome);
/// Inverse of to_string. Throws InputError for another text.
Outcome parse_outcome(const std::string& text);

/// One recorded point of a stage. Under the flow of all of c the parameters are gauge-fixed:
/// logsumexp θ = log C_D of the stage's start.
struct Snapshot {
  double t = 0.0;  ///< flow time since the stage's start
  Parameters parameters;
  double loss = 0.0;             ///< nats
  double validation_loss = 0.0;  ///< nats; NaN without validation chains
  double gradient_norm = 0.0;  ///< Euclidean, of 𝓛 in c and the plain blocks, over the trained ones
  double dissipated = 0.0;     ///< ∫ of the right side of (3.5), nats
  double energy_residual = 0.0;  ///< loss(0) − loss(t) − dissipated, nats

  /// Entry by entry; NaN, which marks an absent number, equals NaN.
  bool operator==(const Snapshot& other) const;
};

/// Counts of an integrator's work in a stage.
struct StepStatistics {
  /// Gradients that the steps took, rejected ones and the derivatives of gradients for Jacobians
  /// included.
  Index rhs_evaluations = 0;
  Index jacobian_columns = 0;    ///< of these, derivatives of gradients
  Index output_evaluations = 0;  ///< gradients for recorded points
  Index accepted_steps = 0;
  Index rejected_steps = 0;
  Index non_finite_steps = 0;  ///< rejected because a slope, a state or an error was not finite

  bool operator==(const StepStatistics&) const = default;
};

/// A change of method by the automatic integrator.
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
  Index votes = 0;                ///< steps in favour of a change of method
  Index against = 0;              ///< consecutive steps against it

  bool operator==(const FlowState&) const = default;
};

/// What gradient descent needs for the next step, besides the point.
struct DescentState {
  Index step = 0;  ///< steps taken in the stage
  /// C_D as (3.2) predicts it from the steps taken: C_D(0) + Σ η_k²‖∇_c𝓛‖², η_k the rate of step k.
  double predicted_normalizer = 0.0;
  /// Moments of the optimizer, one entry per trained entry: the velocity of momentum; the first,
  /// then the second moments of Adam.
  std::vector<double> moments;

  bool operator==(const DescentState&) const = default;
};

/// Everything that the rest of a stage's trajectory depends on: a run can stop after any step and
/// continue with the same bits.
struct StepperState {
  bool active = false;    ///< false: the stage has not begun
  Index next_output = 0;  ///< index of the first output time that is not recorded yet
  double t = 0.0;         ///< flow time since the stage's start
  double dt = 0.0;        ///< step to try next
  /// Flat state: the trained entries in the order θ (c in descent), then the plain arrays as in
  /// plain_arrays; last the dissipated energy.
  std::vector<double> x;
  std::variant<FlowState, DescentState> method;

  bool operator==(const StepperState&) const = default;
};

/// A state inside a stage from which the rest of it can be computed again, see run/audit.hpp.
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
  double gauge_drift = 0.0;  ///< max |logsumexp θ(t) − log C_D|; of descent see train_descent
  /// States after every s-th accepted step, s the smallest power of 2 that leaves fewer than
  /// most_restart_points of them; states that hold a Jacobian are left out.
  std::vector<RestartPoint> restarts;
  /// What limited the steps and what to try, if the stage failed or met a limit; may be empty.
  std::string hint;

  bool operator==(const StageRecord&) const = default;
};

/// What was recorded of a run, stage by stage.
struct Trajectory {
  std::vector<StageRecord> stages;

  bool operator==(const Trajectory&) const = default;
};

/// State of a run: what has been recorded and what is needed to continue.
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
