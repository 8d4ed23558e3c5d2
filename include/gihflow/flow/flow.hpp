#pragma once

#include <limits>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// automatic: dopri5 until stiffness is detected, then rodas5p, and back when the flow is no longer
/// stiff; every stage begins with dopri5. See docs/numerics.md.
enum class Integrator { automatic, dopri5, fehlberg78, rodas5p };
/// "auto", "dopri5", "fehlberg78", "rodas5p".
std::string to_string(Integrator integrator);

/// Options of the integration of the flow and of what is recorded.
struct FlowOptions {
  Integrator integrator = Integrator::automatic;
  /// Error allowed per step in each component x of the state: atol + rtol·m, m = max(|x|, 1) for
  /// logits and for θ − log C_D, |x| for a and the dissipated energy, see ErrorScale for the other
  /// blocks. rtol > 0, atol ≥ 0.
  double rtol = 1e-6;
  double atol = 1e-9;
  Index outputs = 200;      ///< recorded points per stage, ≥ 2
  double first_output = 0;  ///< first positive output time; 0: min(1, duration/1000)
  /// Recorded times of each stage instead of output_times, t = 0 and the end always included.
  /// train_flow throws InputError unless they increase within the stage.
  std::vector<std::vector<double>> times = {};
  Index max_steps = std::numeric_limits<Index>::max();  ///< accepted and rejected, over all stages
};

/// Progress of the running stage.
struct Progress {
  Index stage = 0;  ///< 0-based
  Index stages = 0;
  double t = 0.0;                    ///< flow time in the stage
  double duration = 0.0;             ///< of the stage
  const Snapshot* latest = nullptr;  ///< last recorded point; not null once a stage has begun
};

/// Follows a training run. Called between steps, on the thread that called train_flow or
/// train_descent; it cannot change the trajectory, only stop it.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Called after every step and at the end of every stage. Returns Outcome::running to go on, or
  /// the outcome to stop with (wall_time, interrupted): the state is then complete and resumable.
  virtual Outcome after_step(const TrainingState& state, const Progress& progress) = 0;
};

/// The state at the start of a schedule.
TrainingState begin_training(const Parameters& initial);

/// Integrates the gradient flow (3.1)–(3.5) through the schedule, starting where `state` stands,
/// with c in log coordinates θ and the dissipated energy as one more component. Appends to
/// state.trajectory and returns state.outcome. `validation` and `observer` may be null. A gradient
/// that is not finite at the start of a stage is the outcome non_finite, not an exception. Throws
/// InputError for invalid options.times.
Outcome train_flow(TrainingState& state, const Schedule& schedule, const Objective& objective,
                   const Objective* validation, const FlowOptions& options, Observer* observer);

/// Why train_flow cannot continue from `state`: stages other than those of the schedule, another
/// method or integrator, arrays of the wrong size, numbers that are not finite or out of range. A
/// stopped run with unchanged options has none. Call it before train_flow on a state read from a
/// file: train_flow does not validate it.
ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const FlowOptions& options);

/// Parameters at the last recorded point; those of the start if there is none.
const Parameters& final_parameters(const TrainingState& state);

}  // namespace gihflow
