#include "gihflow/flow/flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "flow/coordinates.hpp"
#include "flow/method.hpp"
#include "gihflow/base/interrupt.hpp"

namespace gihflow {

std::string to_string(Integrator integrator) {
  return integrator == Integrator::fehlberg78 ? "fehlberg78" : "dopri5";
}

TrainingState begin_training(const Parameters& initial) {
  TrainingState state;
  state.start = initial;
  return state;
}

const Parameters& final_parameters(const TrainingState& state) {
  if (!state.trajectory.stages.empty() && !state.trajectory.stages.back().snapshots.empty())
    return state.trajectory.stages.back().snapshots.back().parameters;
  return state.start;
}

namespace {

using State = Eigen::VectorXd;

/// Thrown by the right-hand side, caught by the driver loop: the step is rejected.
struct NonFinite {
  Index component;
};

Index first_non_finite(const State& x) {
  for (Index i = 0; i < x.size(); ++i)
    if (!std::isfinite(x[i])) return i;
  return -1;
}

State to_eigen(const std::vector<double>& x) {
  return Eigen::Map<const State>(x.data(), static_cast<Index>(x.size()));
}
std::vector<double> to_vector(const State& x) { return {x.data(), x.data() + x.size()}; }

/// Step size control (Hairer, Nørsett, Wanner, Solving ODEs I, IV.2): proportional–integral, the
/// error norm a maximum over components, dissipation included.
class Controller {
 public:
  Controller(const FlowOptions& options, int order)
      : rtol_(options.rtol), atol_(options.atol), exponent_(1.0 / order - 0.75 * memory_weight) {}

  /// Largest component of the error in units of its tolerance; NaN if any is not finite.
  double norm(const State& error, const State& x, const State& y, Index& worst) const {
    double largest = 0.0;
    worst = 0;
    for (Index i = 0; i < error.size(); ++i) {
      double scaled = std::abs(error[i]) / scale(x[i], y[i]);
      if (!std::isfinite(scaled)) {
        worst = i;
        return std::numeric_limits<double>::quiet_NaN();
      }
      if (scaled > largest) {
        largest = scaled;
        worst = i;
      }
    }
    return largest;
  }

  double norm(const State& vector, const State& x) const {
    Index worst;
    return norm(vector, x, x, worst);
  }

  double factor(double error, double previous, bool after_rejection) const {
    error = std::max(error, 1e-10);
    double growth = 0.9 * std::pow(error, -exponent_) * std::pow(previous, memory_weight);
    return std::clamp(growth, 0.2, after_rejection ? 1.0 : 10.0);
  }
  static double rejection_factor(double error, int order) {
    return std::max(0.2, 0.9 * std::pow(error, -1.0 / order));
  }

 private:
  static constexpr double memory_weight = 0.04;
  double scale(double x, double y) const {
    return atol_ + rtol_ * std::max(std::abs(x), std::abs(y));
  }
  double rtol_, atol_, exponent_;
};

/// One stage of the flow, from wherever the state stands.
class StageRun {
 public:
  StageRun(TrainingState& state, const Schedule& schedule, const Objective& objective,
           const Objective* validation, const FlowOptions& options, Observer* observer)
      : state_(state),
        schedule_(schedule),
        stage_(schedule[static_cast<std::size_t>(state.stage)]),
        objective_(objective),
        validation_(validation),
        options_(options),
        observer_(observer),
        coordinates_(stage_, state.start),
        method_(make_method(options.integrator)),
        controller_(options, method_->order()),
        times_(output_times(stage_.duration, options.outputs, options.first_output)) {}

  Outcome run() {
    if (!state_.stepper.active) {
      state_.trajectory.stages.push_back({});
      record().stage = stage_;
      record().integrator = to_string(options_.integrator);
      begin();
      if (record().outcome != Outcome::running) return record().outcome;
    }
    x_ = to_eigen(state_.stepper.x);
    slope_ = to_eigen(state_.stepper.slope);
    previous_error_ = state_.stepper.memory.at(0);
    after_rejection_ = state_.stepper.counters.at(0) != 0;
    record().outcome = Outcome::running;
    while (record().outcome == Outcome::running && state_.stepper.t < stage_.duration) {
      record().outcome = one_step();
      if (record().outcome == Outcome::running && observer_) record().outcome = notify();
      if (record().outcome == Outcome::running && interrupt_requested())
        record().outcome = Outcome::interrupted;
    }
    if (state_.stepper.t >= stage_.duration) record().outcome = Outcome::reached;
    return record().outcome;
  }

 private:
  StageRecord& record() { return state_.trajectory.stages.back(); }

  Outcome notify() {
    Progress progress{state_.stage, static_cast<Index>(schedule_.size()), state_.stepper.t,
                      stage_.duration, &record().snapshots.back()};
    return observer_->after_step(state_, progress);
  }

  void right_hand_side(const State& x, State& dxdt) {
    ++record().statistics.rhs_evaluations;
    evaluate(x, dxdt);
  }
  void evaluate(const State& x, State& dxdt) {
    Index bad = first_non_finite(x);
    if (bad >= 0) throw NonFinite{bad};
    Point at = coordinates_.point(x);
    objective_.gradient(at, gradient_, false);
    coordinates_.slope(at, gradient_, dxdt);
    bad = first_non_finite(dxdt);
    if (bad >= 0) throw NonFinite{bad};
  }

  /// First slope, first step size (Solving ODEs I, II.4) and the record at t = 0.
  void begin() {
    x_ = coordinates_.initial_state();
    StepperState& s = state_.stepper;
    s = {};
    s.active = true;
    snapshot(0.0, x_);
    s.next_output = 1;
    try {
      right_hand_side(x_, slope_);
      double size = controller_.norm(x_, x_), speed = controller_.norm(slope_, x_);
      double first = size < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * size / speed;
      first = std::min(first, stage_.duration);
      State next = x_ + first * slope_, next_slope;
      right_hand_side(next, next_slope);
      double curvature = controller_.norm(next_slope - slope_, x_) / first;
      double most = std::max(speed, curvature);
      double second = most <= 1e-15 ? std::max(1e-6, first * 1e-3)
                                    : std::pow(0.01 / most, 1.0 / method_->order());
      s.dt = std::min({100.0 * first, second, stage_.duration});
    } catch (const NonFinite& fault) {
      if (slope_.size() != x_.size() || first_non_finite(slope_) >= 0) {
        record().outcome = Outcome::non_finite;
        record().hint = fmt::format("the gradient is not finite at the stage's start, in {}",
                                    coordinates_.component(fault.component));
        return;
      }
      s.dt = std::min(1e-6, stage_.duration);
    }
    s.x = to_vector(x_);
    s.slope = to_vector(slope_);
    s.memory = {1e-4};
    s.counters = {0};
  }

  /// Tries one step; on success advances the state and records what lies on the way.
  Outcome one_step() {
    StepperState& s = state_.stepper;
    const StepStatistics& statistics = record().statistics;
    if (total_steps() >= options_.max_steps) return Outcome::step_limit;
    const double remaining = stage_.duration - s.t;
    const bool last = s.dt >= remaining * (1.0 - 1e-12);
    const double dt = last ? remaining : s.dt;
    if (!(s.t + dt > s.t)) {
      record().hint = fmt::format(
          "the step size fell to {:.3g} at t = {:.6g}, worst in {}; {} of {} steps were rejected, {} of them "
          "because a value was not finite: loosen rtol, or use a stiff integrator",
          dt, s.t, coordinates_.component(worst_), statistics.rejected_steps,
          statistics.rejected_steps + statistics.accepted_steps, statistics.non_finite_steps);
      return statistics.non_finite_steps > 0 && last_rejection_non_finite_ ? Outcome::non_finite
                                                                           : Outcome::step_underflow;
    }
    double error = std::numeric_limits<double>::quiet_NaN();
    try {
      method_->step([this](const State& x, State& dxdt) { right_hand_side(x, dxdt); }, x_, slope_, dt,
                    x_new_, slope_new_, error_);
      Index bad = first_non_finite(x_new_);
      if (bad < 0)
        error = controller_.norm(error_, x_, x_new_, worst_);
      else
        worst_ = bad;
    } catch (const NonFinite& fault) {
      worst_ = fault.component;
    }
    last_rejection_non_finite_ = !std::isfinite(error);
    if (last_rejection_non_finite_ || error > 1.0) {
      ++record().statistics.rejected_steps;
      if (last_rejection_non_finite_) ++record().statistics.non_finite_steps;
      s.dt = dt * (last_rejection_non_finite_ ? 0.1 : Controller::rejection_factor(error, method_->order()));
      after_rejection_ = true;
      s.counters = {1};
      return Outcome::running;
    }
    ++record().statistics.accepted_steps;
    const double t_new = last ? stage_.duration : s.t + dt;
    record_until(t_new, dt);
    double proposal = dt * controller_.factor(error, previous_error_, after_rejection_);
    previous_error_ = std::max(error, 1e-4);
    after_rejection_ = false;
    s.t = t_new;
    s.dt = last ? std::max(s.dt, proposal) : proposal;
    std::swap(x_, x_new_);
    std::swap(slope_, slope_new_);
    s.x = to_vector(x_);
    s.slope = to_vector(slope_);
    s.memory = {previous_error_};
    s.counters = {0};
    record().gauge_drift = std::max(record().gauge_drift, std::abs(coordinates_.gauge_shift(x_)));
    return Outcome::running;
  }

  /// Records every output time in (t, t_new] of the step just accepted, without touching its result.
  void record_until(double t_new, double dt) {
    StepperState& s = state_.stepper;
    auto count_as_output = [this](const State& x, State& dxdt) {
      ++record().statistics.output_evaluations;
      evaluate(x, dxdt);
    };
    State between;
    while (s.next_output < static_cast<Index>(times_.size()) &&
           times_[static_cast<std::size_t>(s.next_output)] <= t_new) {
      double t = times_[static_cast<std::size_t>(s.next_output)];
      if (t == t_new) {
        snapshot(t, x_new_);
      } else {
        method_->interpolate(count_as_output, x_, slope_, x_new_, slope_new_, dt, t - s.t, between);
        snapshot(t, between);
      }
      ++s.next_output;
    }
  }

  void snapshot(double t, const State& x) {
    Snapshot out;
    out.t = t;
    out.parameters = coordinates_.parameters(x);
    Point at = coordinates_.point(x);
    ++record().statistics.output_evaluations;
    objective_.gradient(at, gradient_, true);
    out.loss = gradient_.loss;
    out.validation_loss = validation_ ? validation_->loss(at) : std::numeric_limits<double>::quiet_NaN();
    out.gradient_norm = std::sqrt(coordinates_.dissipation(at, gradient_));
    out.dissipated = coordinates_.dissipated(x);
    auto& snapshots = record().snapshots;
    double start = snapshots.empty() ? out.loss : snapshots.front().loss;
    out.energy_residual = start - out.loss - out.dissipated;
    snapshots.push_back(std::move(out));
  }

  Index total_steps() const {
    Index steps = 0;
    for (const StageRecord& r : state_.trajectory.stages)
      steps += r.statistics.accepted_steps + r.statistics.rejected_steps;
    return steps;
  }

  TrainingState& state_;
  const Schedule& schedule_;
  const Stage& stage_;
  const Objective& objective_;
  const Objective* validation_;
  const FlowOptions& options_;
  Observer* observer_;
  Coordinates coordinates_;
  std::unique_ptr<Method> method_;
  Controller controller_;
  std::vector<double> times_;
  Gradient gradient_;
  State x_, slope_, x_new_, slope_new_, error_;
  double previous_error_ = 1e-4;
  bool after_rejection_ = false;
  bool last_rejection_non_finite_ = false;
  Index worst_ = 0;
};

}  // namespace

Outcome train_flow(TrainingState& state, const Schedule& schedule, const Objective& objective,
                   const Objective* validation, const FlowOptions& options, Observer* observer) {
  const Index stages = static_cast<Index>(schedule.size());
  state.outcome = Outcome::running;
  while (state.stage < stages && state.outcome == Outcome::running) {
    Outcome outcome = StageRun(state, schedule, objective, validation, options, observer).run();
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
      Outcome wish = observer->after_step(
          state, {state.stage - 1, stages, done.stage.duration, done.stage.duration, &done.snapshots.back()});
      if (state.stage < stages) state.outcome = wish;
    }
  }
  return state.outcome;
}

}  // namespace gihflow
