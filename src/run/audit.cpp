#include "gihflow/run/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/schema.hpp"
#include "gihflow/run/objectives.hpp"
#include "gihflow/run/resume.hpp"

namespace gihflow {

namespace {

Index steps_of(const StepStatistics& statistics) {
  return statistics.accepted_steps + statistics.rejected_steps;
}

const StageRecord& stage_of(const TrainingState& state, const Stretch& stretch) {
  return state.trajectory.stages[static_cast<std::size_t>(stretch.stage - 1)];
}

// Number of restart points of a stage, without one at its end.
std::size_t points_of(const StageRecord& stage) {
  const bool at_end = !stage.restarts.empty() &&
                      steps_of(stage.restarts.back().statistics) == steps_of(stage.statistics);
  return stage.restarts.size() - (at_end ? 1 : 0);
}

// The restart point at which a stretch ends; null if it ends at the end of the record.
const RestartPoint* end_of(const StageRecord& stage, const Stretch& stretch) {
  const auto next = static_cast<std::size_t>(stretch.point);
  return next < points_of(stage) ? &stage.restarts[next] : nullptr;
}

// The state at a stretch's start, with everything recorded before; nullopt if the record is
// inconsistent.
std::optional<TrainingState> state_at(const TrainingState& whole, const Stretch& stretch) {
  TrainingState state;
  const auto& stages = whole.trajectory.stages;
  state.initial = state.start = whole.initial;
  state.stage = stretch.stage - 1;
  state.trajectory.stages.assign(stages.begin(), stages.begin() + state.stage);
  if (state.stage > 0) {
    const std::vector<Snapshot>& before = state.trajectory.stages.back().snapshots;
    if (before.empty()) return std::nullopt;
    state.start = before.back().parameters;
  }
  if (stretch.point == 0) return state;
  StageRecord begun = stage_of(whole, stretch);
  const RestartPoint point = begun.restarts[static_cast<std::size_t>(stretch.point - 1)];
  const auto outputs = static_cast<std::size_t>(point.stepper.next_output);
  if (outputs > begun.snapshots.size()) return std::nullopt;
  begun.snapshots.resize(outputs);
  begun.statistics = point.statistics;
  begun.gauge_drift = point.gauge_drift;
  begun.outcome = Outcome::running;
  begun.restarts.clear();
  std::erase_if(begun.switches,
                [&](const IntegratorSwitch& change) { return change.t > point.stepper.t; });
  state.stepper = point.stepper;
  state.trajectory.stages.push_back(std::move(begun));
  return state;
}

// Stops a stage after a number of steps.
class StepsTaken final : public Observer {
 public:
  explicit StepsTaken(Index steps) : steps_(steps) {}
  Outcome after_step(const TrainingState& state, const Progress&) override {
    const bool done = steps_of(state.trajectory.stages.back().statistics) >= steps_;
    return done ? Outcome::interrupted : Outcome::running;
  }

 private:
  Index steps_;
};

std::vector<double> counts_of(const StepStatistics& statistics, const StepperState* stepper) {
  std::vector<Index> counts = flatten(statistics).integers;
  if (stepper != nullptr) {
    const std::vector<Index> more = flatten(*stepper).integers;
    counts.insert(counts.end(), more.begin(), more.end());
  }
  return {counts.begin(), counts.end()};
}

// Compares recorded and recomputed outputs [begin, end) of a stage, in all columns but those
// computed from others.
void compare_outputs(Audit& audit, const StageRecord& recorded, const StageRecord& computed,
                     std::size_t begin, std::size_t end) {
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.set == nullptr) continue;
    std::vector<double> a, b;
    std::size_t width = 1;
    for (std::size_t k = begin; k < end; ++k) {
      const auto x = column.get(recorded.snapshots[k]), y = column.get(computed.snapshots[k]);
      width = std::max<std::size_t>(1, x.size());
      a.insert(a.end(), x.begin(), x.end());
      b.insert(b.end(), y.begin(), y.end());
    }
    AuditedQuantity quantity{column.name, difference(a, b), {}};
    if (quantity.numbers.different > 0) {
      const std::size_t index = begin + quantity.numbers.first / width;
      quantity.first = {audit.stretch.stage, static_cast<Index>(index),
                        recorded.snapshots[index].t};
    }
    audit.quantities.push_back(std::move(quantity));
  }
}

// The stretches that a setting chooses.
std::vector<Stretch> chosen(const std::vector<Stretch>& all, const StretchSetting& asked,
                            const std::string& path) {
  std::vector<Stretch> possible;
  for (const Stretch& stretch : all) {
    if (!asked.audit_stage || stretch.stage == *asked.audit_stage) possible.push_back(stretch);
  }
  if (possible.empty() && asked.audit_stage) {
    throw InputError(fault(Field::stage, *asked.audit_stage,
                           "must be a stage in which {} has taken a step", path));
  }
  if (possible.empty()) throw InputError(fault(path, "", "has recorded no step yet"));
  if (asked.audit_all) return possible;
  if (asked.audit_from) {
    for (const Stretch& stretch : possible) {
      if (*asked.audit_from >= stretch.begin && *asked.audit_from <= stretch.end) return {stretch};
    }
    throw InputError(fault(Field::from, *asked.audit_from,
                           "must be from 0 to {}, where stage {} has come", possible.back().end,
                           *asked.audit_stage));
  }
  std::random_device device;
  return {possible[std::uniform_int_distribution<std::size_t>(0, possible.size() - 1)(device)]};
}

std::shared_ptr<const Resumption> recorded_in(const std::string& path, Isolation isolation) {
  auto recorded = std::make_shared<Resumption>();
  recorded->path = path;
  recorded->run = read_run(path, isolation);
  return recorded;
}

}  // namespace

std::vector<Stretch> stretches(const TrainingState& state) {
  std::vector<Stretch> result;
  for (std::size_t k = 0; k < state.trajectory.stages.size(); ++k) {
    const StageRecord& stage = state.trajectory.stages[k];
    const bool under_way = state.stepper.active && k + 1 == state.trajectory.stages.size();
    const std::size_t points = points_of(stage);
    StepStatistics before;
    double t = 0.0;
    for (std::size_t point = 0; point <= points; ++point) {
      const bool last = point == points;
      const StepStatistics& after = last ? stage.statistics : stage.restarts[point].statistics;
      Stretch stretch;
      stretch.number = static_cast<Index>(result.size()) + 1;
      stretch.stage = static_cast<Index>(k) + 1;
      stretch.point = static_cast<Index>(point);
      stretch.begin = t;
      stretch.end = !last       ? stage.restarts[point].stepper.t
                    : under_way ? state.stepper.t
                                : stage.stage.duration;
      stretch.steps = steps_of(after) - steps_of(before);
      stretch.rhs_evaluations = after.rhs_evaluations - before.rhs_evaluations;
      if (stretch.steps > 0) result.push_back(stretch);
      before = after;
      t = stretch.end;
    }
  }
  return result;
}

bool Audit::passed() const {
  return failure.empty() && std::all_of(quantities.begin(), quantities.end(),
                                        [](const auto& q) { return q.numbers.different == 0; });
}

struct Auditor::State {
  std::optional<int> threads;
  Problem problem;
  Objectives objectives;
};

Auditor::Auditor(const std::string& path, const AuditSetting& setting)
    : Auditor(recorded_in(path, setting.isolation), setting) {}

Auditor::Auditor(std::shared_ptr<const Resumption> run, const AuditSetting& setting,
                 const Inputs& held)
    : state_(std::make_unique<State>()) {
  state_->threads = setting.threads;
  const ContextScope scope({.threads = setting.threads});
  Assembled asked = assemble_audit(std::move(run), setting);
  asked.inputs = in_place_of_files(asked.setting, held);
  state_->problem = prepare(std::move(asked));
  state_->objectives = make_objectives(state_->problem);
}

Auditor::~Auditor() = default;

const RunFile& Auditor::run() const {
  return state_->problem.resumed->run;
}

const std::vector<Phrase>& Auditor::notes() const {
  return state_->problem.notes;
}

bool AuditReport::passed() const {
  return std::all_of(audits.begin(), audits.end(), [](const Audit& one) { return one.passed(); });
}

AuditReport audit(const std::string& path, const AuditSetting& setting, RunObserver* observer) {
  return audit(recorded_in(path, setting.isolation), setting, observer);
}

AuditReport audit(std::shared_ptr<const Resumption> run, const AuditSetting& setting,
                  RunObserver* observer, const Inputs& held) {
  ErrorList errors;
  if (setting.audit_from && !setting.audit_stage) {
    errors.add({.field = Field::from,
                .value = fmt::format("{}", *setting.audit_from),
                .allowed = Phrase("must be beside ", Field::stage)});
  }
  if (setting.audit_from && setting.audit_all) {
    errors.add({.field = Field::all, .allowed = Phrase("must be left out beside ", Field::from)});
  }
  errors.throw_if_any();
  const Auditor auditor(run, setting, held);
  AuditReport report;
  report.notes = auditor.notes();
  if (observer != nullptr) {
    for (const Phrase& note : report.notes) observer->note(note);
  }
  const std::vector<Stretch> all = stretches(auditor.run().state);
  report.stretches = all.size();
  for (const Stretch& stretch : chosen(all, setting, run->path)) {
    if (interrupt_requested()) break;
    report.audits.push_back(auditor.audit(stretch));
  }
  return report;
}

Audit Auditor::audit(const Stretch& stretch) const {
  const ContextScope scope({.threads = state_->threads});
  const Setting& setting = state_->problem.setting;
  const TrainingState& whole = run().state;
  const StageRecord& recorded = stage_of(whole, stretch);
  const RestartPoint* const end = end_of(recorded, stretch);
  const StepStatistics& statistics = end != nullptr ? end->statistics : recorded.statistics;
  std::optional<TrainingState> start = state_at(whole, stretch);
  if (!start || !state_faults(*start, setting).empty()) {
    return {stretch, 0, {}, "the state that it begins with does not fit the config"};
  }
  TrainingState state = std::move(*start);
  Schedule schedule = setting.stages;
  schedule.resize(static_cast<std::size_t>(stretch.stage));
  StepsTaken stop(steps_of(statistics));
  const Objectives& objectives = state_->objectives;
  constexpr Index no_limit = std::numeric_limits<Index>::max();
  if (setting.method == TrainingMethod::gd) {
    DescentOptions options = state_->problem.descent();
    options.max_steps = no_limit;
    train_descent(state, schedule, *objectives.training, objectives.validation.get(), options,
                  &stop);
  } else {
    FlowOptions options = setting.flow;
    options.max_steps = no_limit;
    train_flow(state, schedule, *objectives.training, objectives.validation.get(), options, &stop);
  }

  Audit result;
  result.stretch = stretch;
  const StageRecord& computed = state.trajectory.stages.back();
  if (interrupt_requested() && steps_of(computed.statistics) < steps_of(statistics)) {
    result.failure = "interrupted";
    return result;
  }
  const auto first = static_cast<std::size_t>(
      stretch.point == 0
          ? 0
          : recorded.restarts[static_cast<std::size_t>(stretch.point - 1)].stepper.next_output);
  const std::size_t last = end != nullptr ? static_cast<std::size_t>(end->stepper.next_output)
                                          : recorded.snapshots.size();
  result.outputs = static_cast<Index>(std::max(first, last) - first);
  if (computed.snapshots.size() != last) {
    result.failure = fmt::format("{} outputs were computed up to the end, and {} are recorded",
                                 computed.snapshots.size(), last);
  }
  compare_outputs(result, recorded, computed, first,
                  std::min({last, computed.snapshots.size(), recorded.snapshots.size()}));
  // The state at which the next stretch begins or the run stopped; null at a stage's end.
  const bool under_way = whole.stepper.active && end == nullptr && stretch.stage == whole.stage + 1;
  const StepperState* const stepper = end != nullptr ? &end->stepper
                                      : under_way    ? &whole.stepper
                                                     : nullptr;
  if (stepper != nullptr) {
    const std::vector<double> a = flatten(*stepper).reals, b = flatten(state.stepper).reals;
    if (a.size() == b.size()) {
      result.quantities.push_back({"state", difference(a, b), {}});
    } else {
      result.failure = "the state at the end has another size";
    }
  }
  result.quantities.push_back(
      {"counts",
       difference(counts_of(statistics, stepper),
                  counts_of(computed.statistics, stepper != nullptr ? &state.stepper : nullptr)),
       {}});
  return result;
}

}  // namespace gihflow
