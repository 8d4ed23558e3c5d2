#pragma once

// What every way to train has in common: stage after stage, what a state to continue from must look
// like, and the count of steps over all stages.

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
std::vector<std::string> state_errors(const TrainingState& state, const Schedule& schedule);
bool all_finite(const std::vector<double>& values);
/// A sentence on a vector of the stepper that has not the expected size; empty where it has.
std::string size_error(const char* name, std::size_t size, Index expected);

/// After an accepted step: keeps the state as a restart point if it is its turn, and thins out
/// those kept before. Which are kept depends on the number of the step alone.
void keep_restart_point(StageRecord& record, const StepperState& stepper);

/// Steps of a run so far, rejected ones included.
inline Index total_steps(const TrainingState& state) {
  Index steps = 0;
  for (const StageRecord& stage : state.trajectory.stages)
    steps += stage.statistics.accepted_steps + stage.statistics.rejected_steps;
  return steps;
}

}  // namespace gihflow
