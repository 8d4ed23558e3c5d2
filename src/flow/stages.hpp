#pragma once

// What flow and gradient descent have in common: stage after stage, the record of a stage, and what
// a state to continue from must look like.

#include <functional>

#include "gihflow/flow/flow.hpp"

namespace gihflow {

/// Runs stages by `run_stage`, which takes state.stage from wherever it stands and returns how it
/// ended, until the schedule's end or a stage that ended otherwise. A stage's end is the next one's
/// start.
template <class RunStage>
Outcome run_stages(TrainingState& state, const Schedule& schedule, Observer* observer,
                   RunStage run_stage) {
  const Index stages = static_cast<Index>(schedule.size());
  state.outcome = state.stage < stages ? Outcome::running : Outcome::reached;
  while (state.stage < stages && state.outcome == Outcome::running) {
    const Outcome outcome = run_stage();
    if (outcome != Outcome::reached) {
      state.outcome = outcome;
      break;
    }
    state.start = final_parameters(state);
    state.stepper = {};
    ++state.stage;
    if (state.stage == stages) state.outcome = Outcome::reached;
    if (observer) {
      const StageRecord& done = state.trajectory.stages.back();
      const double duration = done.stage.duration;
      const Outcome wish = observer->after_step(
          state, {state.stage - 1, stages, duration, duration, &done.snapshots.back()});
      if (state.stage < stages) state.outcome = wish;
    }
  }
  return state.outcome;
}

/// What of continuation_errors every way to train has in common.
ErrorList state_errors(const TrainingState& state, const Schedule& schedule);
bool all_finite(const std::vector<double>& values);
/// Adds a fault where a vector of the stepper has not the expected size.
void check_size(const char* name, std::size_t size, Index expected, ErrorList& errors);

/// Steps of a run so far, rejected ones included.
inline Index total_steps(const TrainingState& state) {
  Index steps = 0;
  for (const StageRecord& stage : state.trajectory.stages)
    steps += stage.statistics.accepted_steps + stage.statistics.rejected_steps;
  return steps;
}

/// The record of the running stage as it grows: what is written at output times and after steps.
class StageRecorder {
 public:
  StageRecorder(TrainingState& state, const Schedule& schedule, const Objective& objective,
                const Objective* validation, Observer* observer)
      : state_(state),
        schedule_(schedule),
        objective_(objective),
        validation_(validation),
        observer_(observer) {}

  const Stage& stage() const { return schedule_[static_cast<std::size_t>(state_.stage)]; }
  StageRecord& record() const { return state_.trajectory.stages.back(); }
  StepperState& stepper() const { return state_.stepper; }

  /// Output times of the stage, increasing from 0 to its end: those of asked[stage] with these two,
  /// else output_times. Throws InputError if they do not increase within the stage.
  std::vector<double> times(const std::vector<std::vector<double>>& asked, Index outputs,
                            double first) const;
  /// Opens the record of a stage that has not begun.
  void begin(std::string integrator);
  /// Records parameters at the point `at` and flow time t; `norm` gives the Euclidean norm of the
  /// gradient in (c, w, a).
  void snapshot(double t, Parameters parameters, const Point& at, double dissipated,
                const std::function<double(const Gradient&)>& norm);
  /// After an accepted step: keeps the state as a restart point if it is its turn, and thins out
  /// those kept before. Which are kept depends on the number of the step alone.
  void keep_restart_point();
  /// After a step: what the observer wishes, or that the program was interrupted.
  Outcome notify();

 private:
  TrainingState& state_;
  const Schedule& schedule_;
  const Objective& objective_;
  const Objective* validation_;
  Observer* observer_;
  Gradient gradient_;
};

}  // namespace gihflow
