#include "gihflow/flow/flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "flow/coordinates.hpp"
#include "flow/method.hpp"
#include "flow/stages.hpp"
#include "flow/stiffness.hpp"
#include "flow/system.hpp"
#include "gihflow/base/context.hpp"

namespace gihflow {

namespace {

constexpr std::array<std::pair<Integrator, const char*>, 4> integrators{{
    {Integrator::automatic, "auto"},
    {Integrator::dopri5, "dopri5"},
    {Integrator::fehlberg78, "fehlberg78"},
    {Integrator::rosenbrock4, "rosenbrock4"},
}};

}  // namespace

std::string to_string(Integrator integrator) {
  for (const auto& [value, name] : integrators)
    if (value == integrator) return name;
  return "auto";
}

TrainingState begin_training(const Parameters& initial) {
  TrainingState state;
  state.initial = state.start = initial;
  return state;
}

const Parameters& final_parameters(const TrainingState& state) {
  if (!state.trajectory.stages.empty() && !state.trajectory.stages.back().snapshots.empty())
    return state.trajectory.stages.back().snapshots.back().parameters;
  return state.start;
}

namespace {

using State = Eigen::VectorXd;

State to_eigen(const std::vector<double>& x) {
  return Eigen::Map<const State>(x.data(), static_cast<Index>(x.size()));
}
std::vector<double> to_vector(const State& x) {
  return {x.data(), x.data() + x.size()};
}

/// Step size control (Hairer, Nørsett, Wanner, Solving ODEs I, IV.2): proportional–integral, the
/// error norm a maximum over components, dissipation included.
class Controller {
 public:
  Controller(const FlowOptions& options, const Coordinates& coordinates)
      : rtol_(options.rtol), atol_(options.atol), coordinates_(coordinates) {}

  /// Error that a step between x and y may make, by component.
  State scale(const State& x, const State& y) const {
    State at_x, at_y;
    coordinates_.magnitude(x, at_x);
    coordinates_.magnitude(y, at_y);
    return (atol_ + rtol_ * at_x.cwiseMax(at_y).array()).matrix();
  }

  /// Largest component of the error in units of its scale, and which; NaN if any is not finite.
  static double norm(const State& error, const State& scale, Index& worst) {
    double largest = 0.0;
    worst = 0;
    for (Index i = 0; i < error.size(); ++i) {
      const double scaled = std::abs(error[i]) / scale[i];
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
  static double norm(const State& error, const State& scale) {
    Index worst = 0;
    return norm(error, scale, worst);
  }

  /// What to multiply an accepted step by; err ~ dt^order.
  static double factor(double error, double previous, int order, bool after_rejection) {
    error = std::max(error, 1e-10);
    const double exponent = 1.0 / order - 0.75 * memory_weight;
    double growth = 0.9 * std::pow(error, -exponent) * std::pow(previous, memory_weight);
    return std::clamp(growth, 0.2, after_rejection ? 1.0 : 10.0);
  }
  static double rejection_factor(double error, int order) {
    return std::max(0.2, 0.9 * std::pow(error, -1.0 / order));
  }

 private:
  static constexpr double memory_weight = 0.04;
  double rtol_, atol_;
  const Coordinates& coordinates_;
};

/// What may be too large or too small about parameters, for messages.
std::string extremes(const Parameters& parameters) {
  double w = 0.0;
  for (const double x : parameters.w) w = std::max(w, std::abs(x));
  return fmt::format("log C_D = {:.4g}, |w| is at most {:.4g} and a = {:.4g}",
                     parameters.log_normalizer(), w, parameters.a);
}

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
        system_(objective, coordinates_),
        controller_(options, coordinates_),
        times_(static_cast<std::size_t>(state.stage) < options.times.size()
                   ? options.times[static_cast<std::size_t>(state.stage)]
                   : output_times(stage_.duration, options.outputs, options.first_output)) {
    if (options.integrator == Integrator::fehlberg78)
      explicit_ = make_fehlberg78();
    else
      explicit_ = make_dormand_prince();
    stiff_ = make_rosenbrock4(coordinates_.size());
  }

  Outcome run() {
    if (!state_.stepper.active) {
      state_.trajectory.stages.push_back({});
      record().stage = stage_;
      record().integrator = to_string(options_.integrator);
      begin();
      if (record().outcome != Outcome::running) return record().outcome;
    } else {
      load();
    }
    record().outcome = Outcome::running;
    record().hint.clear();
    while (record().outcome == Outcome::running && state_.stepper.t < stage_.duration) {
      record().outcome = one_step();
      if (record().outcome == Outcome::running && observer_) record().outcome = notify();
      if (record().outcome == Outcome::running && interrupt_requested())
        record().outcome = Outcome::interrupted;
    }
    if (state_.stepper.t >= stage_.duration) record().outcome = Outcome::reached;
    const Outcome outcome = record().outcome;
    if (outcome == Outcome::step_limit || outcome == Outcome::wall_time) record().hint = pace();
    return outcome;
  }

 private:
  StageRecord& record() const { return state_.trajectory.stages.back(); }
  bool automatic() const { return options_.integrator == Integrator::automatic; }
  Method& method() { return memory_.stiff ? *stiff_ : *explicit_; }

  Outcome notify() {
    Progress progress{state_.stage, static_cast<Index>(schedule_.size()), state_.stepper.t,
                      stage_.duration, &record().snapshots.back()};
    return observer_->after_step(state_, progress);
  }

  void right_hand_side(const State& x, State& dxdt) {
    ++record().statistics.rhs_evaluations;
    system_.slope(x, dxdt);
  }

  void jacobian(const State& x, Eigen::MatrixXd& j) {
    j.resize(0, 0);
    Eigen::MatrixXd result;
    const Index columns = system_.jacobian(x, result);
    record().statistics.rhs_evaluations += columns;
    record().statistics.jacobian_columns += columns;
    j = std::move(result);
  }

  /// Keeps all that the next step depends on. A Jacobian is kept only until the step from its
  /// state is accepted.
  void save() {
    state_.stepper.x = to_vector(from_.x);
    memory_.slope = to_vector(from_.slope);
    memory_.jacobian.assign(from_.jacobian.data(), from_.jacobian.data() + from_.jacobian.size());
    memory_.votes = watch_.votes;
    memory_.against = watch_.against;
    state_.stepper.method = memory_;
  }
  void load() {
    memory_ = std::get<FlowState>(state_.stepper.method);
    from_.x = to_eigen(state_.stepper.x);
    from_.slope = to_eigen(memory_.slope);
    const Index n = memory_.jacobian.empty() ? 0 : coordinates_.size();
    from_.jacobian = Eigen::Map<const Eigen::MatrixXd>(memory_.jacobian.data(), n, n);
    watch_ = {memory_.votes, memory_.against};
  }

  /// First slope, first step size (Solving ODEs I, II.4) and the record at t = 0.
  void begin() {
    from_.x = coordinates_.initial_state();
    memory_.stiff = options_.integrator == Integrator::rosenbrock4;
    StepperState& s = state_.stepper;
    s = {};
    s.active = true;
    snapshot(0.0, from_.x);
    s.next_output = 1;
    try {
      right_hand_side(from_.x, from_.slope);
    } catch (const NonFinite& fault) {
      record().outcome = Outcome::non_finite;
      record().hint = fmt::format(
          "the gradient is not finite at the stage's start, in {}, where {}: start from other "
          "values",
          coordinates_.component(fault.component), extremes(state_.start));
      return;
    }
    try {
      const State scale = controller_.scale(from_.x, from_.x);
      double size = Controller::norm(from_.x, scale), speed = Controller::norm(from_.slope, scale);
      double first = size < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * size / speed;
      first = std::min(first, stage_.duration);
      State next = from_.x + first * from_.slope, next_slope;
      right_hand_side(next, next_slope);
      double curvature = Controller::norm(next_slope - from_.slope, scale) / first;
      double most = std::max(speed, curvature);
      double second = most <= 1e-15 ? std::max(1e-6, first * 1e-3)
                                    : std::pow(0.01 / most, 1.0 / method().order());
      s.dt = std::min({100.0 * first, second, stage_.duration});
    } catch (const NonFinite&) {
      s.dt = std::min(1e-6, stage_.duration);
    }
    save();
  }

  /// How far a stage came that was not to go on, what held it back, and what may help.
  std::string pace() const {
    const StepperState& s = state_.stepper;
    const StepStatistics& statistics = record().statistics;
    const Index steps = statistics.accepted_steps + statistics.rejected_steps;
    if (steps == 0) return "the stage made no step";
    const bool unstable = !memory_.stiff && watch_.votes == steps_before_stiff;
    return fmt::format(
        "{} step{} of this stage came to t = {:.6g} of {:.6g}; the step size is {:.3g}, limited "
        "by {}: {}",
        steps, steps == 1 ? "" : "s", s.t, stage_.duration, s.dt,
        unstable ? "stability, not by accuracy"
                 : "the accuracy of " + coordinates_.component(memory_.worst),
        unstable ? "use a stiff integrator" : "allow more steps or time, or loosen rtol");
  }

  /// Tries one step; on success advances the state and records what lies on the way.
  Outcome one_step() {
    StepperState& s = state_.stepper;
    if (total_steps(state_) >= options_.max_steps) return Outcome::step_limit;
    const double remaining = stage_.duration - s.t;
    const bool last = s.dt >= remaining * (1.0 - 1e-12);
    const double dt = last ? remaining : s.dt;
    if (!(s.t + dt > s.t)) {
      const StepStatistics& statistics = record().statistics;
      record().hint = fmt::format(
          "the step size fell to {:.3g} at t = {:.6g}, worst in {}; {} of {} steps were "
          "rejected, {} of them because a value was not finite: loosen rtol{}",
          dt, s.t, coordinates_.component(memory_.worst), statistics.rejected_steps,
          statistics.rejected_steps + statistics.accepted_steps, statistics.non_finite_steps,
          automatic() || memory_.stiff ? "" : ", or use a stiff integrator");
      return memory_.after_non_finite ? Outcome::non_finite : Outcome::step_underflow;
    }
    const int order = method().order();
    double error = std::numeric_limits<double>::quiet_NaN();
    try {
      if (method().uses_jacobian() && from_.jacobian.size() == 0) jacobian(from_.x, from_.jacobian);
      method().step([this](const State& x, State& dxdt) { right_hand_side(x, dxdt); }, from_, dt,
                    to_);
      const Index bad = first_non_finite(to_.x);
      if (bad < 0)
        error = Controller::norm(to_.error, controller_.scale(from_.x, to_.x), memory_.worst);
      else
        memory_.worst = bad;
    } catch (const NonFinite& fault) {
      memory_.worst = fault.component;
    }
    memory_.after_non_finite = !std::isfinite(error);
    if (memory_.after_non_finite || error > 1.0) {
      ++record().statistics.rejected_steps;
      if (memory_.after_non_finite) ++record().statistics.non_finite_steps;
      s.dt = dt * (memory_.after_non_finite ? 0.1 : Controller::rejection_factor(error, order));
      memory_.after_rejection = true;
      save();
      return Outcome::running;
    }
    ++record().statistics.accepted_steps;
    const double t_new = last ? stage_.duration : s.t + dt;
    record_until(t_new, dt);
    const double proposal =
        dt * Controller::factor(error, memory_.previous_error, order, memory_.after_rejection);
    memory_.previous_error = std::max(error, 1e-4);
    memory_.after_rejection = false;
    s.t = t_new;
    s.dt = last ? std::max(s.dt, proposal) : proposal;
    watch_stiffness(dt);
    std::swap(from_.x, to_.x);
    std::swap(from_.slope, to_.slope);
    save();
    record().gauge_drift =
        std::max(record().gauge_drift, std::abs(coordinates_.gauge_shift(from_.x)));
    if (from_.jacobian.size() == 0) keep_restart_point(record(), s);
    return Outcome::running;
  }

  /// After a step of size dt that was accepted: is the method still the right one? Leaves in
  /// from_.jacobian the Jacobian at the step's end if it has become known, else nothing.
  void watch_stiffness(double dt) {
    const double limit = dormand_prince_stability;
    if (memory_.stiff) {
      if (automatic()) {
        const double reach = dt * spectral_radius(from_.jacobian);
        if (watch_.vote(reach < 0.5 * limit, steps_before_explicit))
          change_method(fmt::format(
              "the step size times the spectral radius of the Jacobian has come down to {:.3g}, "
              "dopri5 is stable up to {}",
              reach, limit));
      }
      from_.jacobian.resize(0, 0);
      return;
    }
    if (options_.integrator == Integrator::fehlberg78) return;
    const State scale = controller_.scale(from_.x, to_.x);
    const double estimate = (to_.slope - to_.stage_slope).cwiseQuotient(scale).norm() /
                            (to_.x - to_.stage).cwiseQuotient(scale).norm();
    if (!watch_.vote(dt * estimate > limit, steps_before_stiff) || !automatic()) return;
    watch_ = {};
    try {
      jacobian(to_.x, from_.jacobian);
    } catch (const NonFinite&) {
      return;
    }
    const double reach = dt * spectral_radius(from_.jacobian);
    if (reach >= 0.5 * limit)
      change_method(fmt::format(
          "the step size times the spectral radius of the Jacobian is {:.3g}, dopri5 is stable "
          "up to {}",
          reach, limit));
    else
      from_.jacobian.resize(0, 0);
  }

  void change_method(std::string reason) {
    IntegratorSwitch change{state_.stepper.t, method().name(), "", std::move(reason)};
    memory_.stiff = !memory_.stiff;
    change.to = method().name();
    record().switches.push_back(std::move(change));
    watch_ = {};
  }

  /// Records every output time in (t, t_new] of the step just accepted, without touching its
  /// result.
  void record_until(double t_new, double dt) {
    StepperState& s = state_.stepper;
    auto count_as_output = [this](const State& x, State& dxdt) {
      ++record().statistics.output_evaluations;
      system_.slope(x, dxdt);
    };
    State between;
    while (s.next_output < static_cast<Index>(times_.size()) &&
           times_[static_cast<std::size_t>(s.next_output)] <= t_new) {
      double t = times_[static_cast<std::size_t>(s.next_output)];
      if (t == t_new) {
        snapshot(t, to_.x);
      } else {
        method().interpolate(count_as_output, from_, to_, dt, t - s.t, between);
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
    out.validation_loss =
        validation_ ? validation_->loss(at) : std::numeric_limits<double>::quiet_NaN();
    out.gradient_norm = std::sqrt(coordinates_.dissipation(at, gradient_));
    out.dissipated = coordinates_.dissipated(x);
    auto& snapshots = record().snapshots;
    double start = snapshots.empty() ? out.loss : snapshots.front().loss;
    out.energy_residual = start - out.loss - out.dissipated;
    snapshots.push_back(std::move(out));
  }

  TrainingState& state_;
  const Schedule& schedule_;
  const Stage& stage_;
  const Objective& objective_;
  const Objective* validation_;
  const FlowOptions& options_;
  Observer* observer_;
  Coordinates coordinates_;
  StageSystem system_;
  Controller controller_;
  std::vector<double> times_;
  std::unique_ptr<Method> explicit_, stiff_;
  Gradient gradient_;
  StepStart from_;
  StepEnd to_;
  StiffnessWatch watch_;
  FlowState memory_;
};

}  // namespace

Outcome train_flow(TrainingState& state, const Schedule& schedule, const Objective& objective,
                   const Objective* validation, const FlowOptions& options, Observer* observer) {
  return run_stages(state, schedule, observer, [&] {
    return StageRun(state, schedule, objective, validation, options, observer).run();
  });
}

std::vector<std::string> continuation_errors(const TrainingState& state, const Schedule& schedule,
                                             const FlowOptions& options) {
  std::vector<std::string> errors = state_errors(state, schedule);
  if (!errors.empty() || !state.stepper.active) return errors;
  const Index n = Coordinates(schedule[static_cast<std::size_t>(state.stage)], state.start).size();
  const StepperState& s = state.stepper;
  const auto* memory = std::get_if<FlowState>(&s.method);
  if (memory == nullptr) return {"the state is one of gradient descent: must be one of the flow"};
  for (const std::string& error :
       {size_error("x", s.x.size(), n), size_error("slope", memory->slope.size(), n),
        size_error("jacobian", memory->jacobian.size(), memory->jacobian.empty() ? 0 : n * n)}) {
    if (!error.empty()) errors.push_back(error);
  }
  if (!all_finite(memory->slope)) errors.push_back("slope: must be finite");
  const double duration = schedule[static_cast<std::size_t>(state.stage)].duration;
  if (s.t > duration) {
    errors.push_back(fmt::format("t {}: must be at most the stage's duration, {}", s.t, duration));
  }
  const std::string& integrator = state.trajectory.stages.back().integrator;
  if (integrator != to_string(options.integrator)) {
    errors.push_back(fmt::format("integrator {} of stage {}: must be {}", integrator,
                                 state.stage + 1, to_string(options.integrator)));
  }
  return errors;
}

}  // namespace gihflow
