#include "flow/stages.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"

#include "base/make_fault.hpp"

namespace gihflow {

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

ErrorList state_errors(const TrainingState& state, const Schedule& schedule) {
  const Index stages = static_cast<Index>(schedule.size());
  const auto& records = state.trajectory.stages;
  const StepperState& stepper = state.stepper;
  ErrorList errors;
  if (state.stage < 0 || state.stage > stages || (state.stage == stages && stepper.active)) {
    errors.add(fault("stage", state.stage, "must be from 0 to {}, the number of stages", stages));
    return errors;
  }
  const Index begun = state.stage + (stepper.active ? 1 : 0);
  if (static_cast<Index>(records.size()) != begun) {
    errors.add(
        fault(fmt::format("{} stages have a record", records.size()), "", "must be {}", begun));
    return errors;
  }
  for (std::size_t k = 0; k < records.size(); ++k) {
    if (records[k].stage != schedule[k]) {
      errors.add(fault(fmt::format("stage {} is", k + 1), to_string(Schedule{records[k].stage}),
                       "must be {}", to_string(Schedule{schedule[k]})));
    }
    if (records[k].snapshots.empty()) {
      errors.add(fault("", "", "stage {} has no recorded point", k + 1));
    }
  }
  if (!errors.empty() || !stepper.active) return errors;
  const StageRecord& current = records.back();
  if (!(stepper.t >= 0.0) || !std::isfinite(stepper.t)) {
    errors.add(fault("t", stepper.t, "must be at least 0 and finite"));
  }
  if (!(stepper.dt > 0.0) || !std::isfinite(stepper.dt)) {
    errors.add(fault("dt", stepper.dt, "must be positive and finite"));
  }
  if (stepper.next_output != static_cast<Index>(current.snapshots.size())) {
    errors.add(fault("next_output", stepper.next_output,
                     "must be the number of recorded points, {}", current.snapshots.size()));
  }
  if (!all_finite(stepper.x)) errors.add(fault("x", "", "must be finite"));
  return errors;
}

void check_size(const char* name, std::size_t size, Index expected, ErrorList& errors) {
  if (static_cast<Index>(size) == expected) return;
  errors.add(
      fault(fmt::format("{} has", name), fmt::format("{} entries", size), "must be {}", expected));
}

std::vector<double> StageRecorder::times(const std::vector<std::vector<double>>& asked,
                                         Index outputs, double first) const {
  const double end = stage().duration;
  const auto number = static_cast<std::size_t>(state_.stage);
  if (number >= asked.size()) return output_times(end, outputs, first);
  std::vector<double> out{0.0};
  for (const double t : asked[number]) {
    if (t == 0.0 && out.size() == 1) continue;
    if (!(t > out.back() && t <= end))
      throw InputError(Fault{Field::outputs, fmt::format("at t = {}", t),
                             Phrase(fmt::format("times of stage {} must increase up to its end, {}",
                                                number + 1, end))});
    out.push_back(t);
  }
  if (out.back() < end) out.push_back(end);
  return out;
}

void StageRecorder::begin(std::string integrator) {
  state_.trajectory.stages.push_back({});
  record().stage = stage();
  record().integrator = std::move(integrator);
  stepper() = {};
  stepper().active = true;
  stepper().next_output = 1;
}

void StageRecorder::snapshot(double t, Parameters parameters, const Point& at, double dissipated,
                             const std::function<double(const Gradient&)>& norm) {
  Snapshot out;
  out.t = t;
  out.parameters = std::move(parameters);
  ++record().statistics.output_evaluations;
  objective_.gradient_in(derivatives_in(stage().blocks), at, gradient_, true);
  out.loss = gradient_.loss;
  out.validation_loss =
      validation_ ? validation_->loss(at) : std::numeric_limits<double>::quiet_NaN();
  out.gradient_norm = norm(gradient_);
  out.dissipated = dissipated;
  auto& snapshots = record().snapshots;
  const double start = snapshots.empty() ? out.loss : snapshots.front().loss;
  out.energy_residual = start - out.loss - out.dissipated;
  snapshots.push_back(std::move(out));
}

void StageRecorder::keep_restart_point() {
  const StepStatistics& statistics = record().statistics;
  const auto step = static_cast<std::uint64_t>(statistics.accepted_steps);
  const std::uint64_t stride = std::bit_ceil(step / most_restart_points + 1);
  if (step % stride != 0) return;
  if (step == most_restart_points * stride / 2) {  // the stride has just doubled
    std::erase_if(record().restarts, [&](const RestartPoint& point) {
      return static_cast<std::uint64_t>(point.statistics.accepted_steps) % stride != 0;
    });
  }
  record().restarts.push_back({stepper(), statistics, record().gauge_drift});
}

Outcome StageRecorder::notify() {
  Outcome outcome = Outcome::running;
  if (observer_)
    outcome =
        observer_->after_step(state_, {state_.stage, static_cast<Index>(schedule_.size()),
                                       stepper().t, stage().duration, &record().snapshots.back()});
  return outcome == Outcome::running && interrupt_requested() ? Outcome::interrupted : outcome;
}

}  // namespace gihflow
