#pragma once

#include <limits>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// automatic: dopri5 until it finds the flow stiff, then rodas5p, and back where the flow is no
/// longer stiff; every stage begins with dopri5. See docs/numerics.md.
enum class Integrator { automatic, dopri5, fehlberg78, rodas5p };
/// "auto", "dopri5", "fehlberg78", "rodas5p".
std::string to_string(Integrator integrator);

/// How the flow is integrated and recorded.
struct FlowOptions {
  Integrator integrator = Integrator::automatic;
  /// Error allowed per step: atol + rtol·max(|x|, m), with m = 1 for logits and 0 for a and the
  /// dissipated energy. rtol > 0, atol ≥ 0.
  double rtol = 1e-6;
  double atol = 1e-9;
  Index outputs = 200;      ///< recorded points a stage, ≥ 2
  double first_output = 0;  ///< first positive output time; 0: min(1, duration/1000)
  /// Recorded times of each stage, increasing, instead of those of output_times; t = 0 and the end
  /// are always included. train_flow throws InputError for others.
  std::vector<std::vector<double>> times = {};
  Index max_steps = std::numeric_limits<Index>::max();  ///< accepted and rejected, of a run
};

/// Where a running stage is, for progress and checkpoints.
struct Progress {
  Index stage = 0;  ///< 0-based
  Index stages = 0;
  double t = 0.0;                    ///< flow time in the stage
  double duration = 0.0;             ///< of the stage
  const Snapshot* latest = nullptr;  ///< last recorded point, never null once a stage has begun
};

/// Follows a training run. Called between steps, on the thread that called `train_flow`; nothing an
/// observer does can change the trajectory.
class Observer {
 public:
  virtual ~Observer() = default;
  /// After every step and every stage begin or end. Returns Outcome::running to go on, or the
  /// outcome to stop with (wall_time, interrupted): the state is then complete and resumable.
  virtual Outcome after_step(const TrainingState& state, const Progress& progress) = 0;
};

/// A state at the start of the schedule.
TrainingState begin_training(const Parameters& initial);

/// Integrates the gradient flow (3.1)–(3.5) through the schedule, from wherever `state` stands, in
/// log coordinates θ for c; dissipation is integrated along. Appends what it records to
/// state.trajectory and returns state.outcome. `validation` may be null; `observer` may be null.
/// Not finite at the very start: outcome non_finite, nothing thrown.
Outcome train_flow(TrainingState& state, const Schedule& schedule, const Objective& objective,
                   const Objective* validation, const FlowOptions& options, Observer* observer);

/// Why train_flow could not go on from `state`, one sentence each: stages that are not those of the
/// schedule, numbers that are missing, not finite or out of place. A state of a run that was
/// stopped has none. Call it before train_flow on a state read from a file: train_flow does not
/// validate it.
ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const FlowOptions& options);

/// Parameters at the end of what was recorded.
const Parameters& final_parameters(const TrainingState& state);

}  // namespace gihflow
