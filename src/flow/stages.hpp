#pragma once

// Shared by flow and gradient descent: the loop over stages, the record of a stage, and the checks
// of a state to continue from.

#include <functional>

#include "gihflow/flow/flow.hpp"

namespace gihflow {

/// Calls `run_stage`, which runs state.stage from where the state stands and returns its outcome,
/// for one stage after the other until the schedule ends or a stage is not `reached`. Each stage
/// starts at the end of the previous one.
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

/// The part of continuation_errors that flow and descent share.
ErrorList state_errors(const TrainingState& state, const Schedule& schedule);
bool all_finite(const std::vector<double>& values);
/// Adds a fault if a vector of the stepper does not have the expected size.
void check_size(const char* name, std::size_t size, Index expected, ErrorList& errors);

/// Steps of a run so far, rejected ones included.
inline Index total_steps(const TrainingState& state) {
  Index steps = 0;
  for (const StageRecord& stage : state.trajectory.stages)
    steps += stage.statistics.accepted_steps + stage.statistics.rejected_steps;
  return steps;
}

/// Writes the record of the running stage at output times and after steps.
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

  /// Output times of the stage, increasing from 0 to its end: asked[stage] with 0 and the end
  /// added, or output_times if `asked` has no entry for the stage. Throws InputError if they do not
  /// increase within the stage.
  std::vector<double> times(const std::vector<std::vector<double>>& asked, Index outputs,
                            double first) const;
  /// Opens the record of a stage that has not begun.
  void begin(std::string integrator);
  /// Records parameters at the point `at` and flow time t; `norm` gives the Euclidean norm of the
  /// gradient in the trained blocks, whose derivatives alone it is given.
  void snapshot(double t, Parameters parameters, const Point& at, double dissipated,
                const std::function<double(const Gradient&)>& norm);
  /// After an accepted step: keeps the state as a restart point if the step's number is a multiple
  /// of the stride (StageRecord::restarts), and thins out earlier ones when the stride doubles.
  void keep_restart_point();
  /// After a step: the outcome that the observer returns, or `interrupted` on an interrupt.
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
