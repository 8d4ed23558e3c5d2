#include "gihflow/flow/flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/make_fault.hpp"
#include "flow/coordinates.hpp"
#include "flow/integrate.hpp"
#include "flow/stages.hpp"
#include "flow/stiffness.hpp"
#include "flow/system.hpp"

namespace gihflow {

namespace {

/// The first name of an integrator is written; all are read.
constexpr std::array<std::pair<Integrator, std::string_view>, 5> integrators{{
    {Integrator::automatic, "auto"},
    {Integrator::dopri5, "dopri5"},
    {Integrator::fehlberg78, "fehlberg78"},
    {Integrator::rodas5p, "rodas5p"},
    {Integrator::rodas5p, "rosenbrock4"},  // of older files
}};

}  // namespace

std::string to_string(Integrator integrator) {
  for (const auto& [value, name] : integrators)
    if (value == integrator) return std::string(name);
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

/// The extreme values of parameters, for messages.
std::string extremes(const Parameters& parameters) {
  double w = 0.0;
  for (const double x : parameters.w) w = std::max(w, std::abs(x));
  return fmt::format("log C_D = {:.4g}, |w| is at most {:.4g} and a = {:.4g}",
                     parameters.log_normalizer(), w, parameters.a);
}

/// One stage of the flow, starting where the state stands.
class StageRun final : private Integration {
 public:
  StageRun(TrainingState& state, const Schedule& schedule, const Objective& objective,
           const Objective* validation, const FlowOptions& options, Observer* observer)
      : state_(state),
        options_(options),
        recorder_(state, schedule, objective, validation, observer),
        coordinates_(recorder_.stage(), state.start),
        system_(objective, coordinates_),
        times_(recorder_.times(options.times, options.outputs, options.first_output)) {
    explicit_ =
        options.integrator == Integrator::fehlberg78 ? make_fehlberg78() : make_dormand_prince();
    implicit_ = make_rodas5p();
  }

  Outcome run() {
    if (state_.stepper.active)
      load();
    else if (!begin())
      return Outcome::non_finite;
    record().outcome = Outcome::running;
    record().hint.clear();
    const Outcome outcome = record().outcome = integrate(recorder_.stage().duration);
    if (outcome == Outcome::step_underflow || outcome == Outcome::non_finite)
      record().hint = stuck();
    else if (outcome == Outcome::step_limit || outcome == Outcome::wall_time)
      record().hint = pace();
    return outcome;
  }

 private:
  StageRecord& record() const { return recorder_.record(); }
  bool automatic() const { return options_.integrator == Integrator::automatic; }

  Method& method() override { return stiff_ ? *implicit_ : *explicit_; }
  StepStatistics& statistics() override { return record().statistics; }
  void slope(const State& x, State& dxdt) override { system_.slope(x, dxdt); }
  Index jacobian(const State& x, Eigen::MatrixXd& j) override { return system_.jacobian(x, j); }
  State scale(const State& x, const State& y) const override {
    return error_scale(coordinates_.magnitude(x), coordinates_.magnitude(y), options_.rtol,
                       options_.atol);
  }
  /// In an implicit step the error along the gauge logsumexp θ, on which the slope does not depend,
  /// counts a tenth. It would otherwise limit the step: it is the largest error of a stiff stage
  /// and does not decay as the others do.
  State error() const override {
    State out = to_.error;
    if (stiff_)
      out.head(coordinates_.thetas()).array() -= 0.9 * coordinates_.gauge_error(to_.x, out);
    return out;
  }
  Outcome before_step() override {
    return total_steps(state_) >= options_.max_steps ? Outcome::step_limit : Outcome::running;
  }
  void accepted(double t_new, double dt) override {
    record_until(t_new, dt);
    watch_stiffness(t_new, dt);
  }
  Outcome after_step(bool accepted) override {
    save();
    if (accepted) {
      record().gauge_drift =
          std::max(record().gauge_drift, std::abs(coordinates_.gauge_shift(from_.x)));
      if (from_.jacobian.size() == 0) recorder_.keep_restart_point();
    }
    return recorder_.notify();
  }

  /// Stores everything that the next step depends on. A Jacobian is stored only until the step from
  /// its state is accepted.
  void save() {
    state_.stepper.t = t_;
    state_.stepper.dt = dt_;
    state_.stepper.x = to_vector(from_.x);
    state_.stepper.method =
        FlowState{to_vector(from_.slope),
                  memory_.previous_error,
                  {from_.jacobian.data(), from_.jacobian.data() + from_.jacobian.size()},
                  stiff_,
                  memory_.after_rejection,
                  memory_.after_non_finite,
                  memory_.worst,
                  watch_.votes,
                  watch_.against};
  }
  void load() {
    const FlowState& s = std::get<FlowState>(state_.stepper.method);
    t_ = state_.stepper.t;
    dt_ = state_.stepper.dt;
    from_.x = to_eigen(state_.stepper.x);
    from_.slope = to_eigen(s.slope);
    const Index n = s.jacobian.empty() ? 0 : coordinates_.size();
    from_.jacobian = Eigen::Map<const Eigen::MatrixXd>(s.jacobian.data(), n, n);
    memory_ = {s.previous_error, s.after_rejection, s.after_non_finite, s.worst};
    stiff_ = s.stiff;
    watch_ = {s.votes, s.against};
  }

  /// Records t = 0 and chooses the first step size; false if the slope is not finite there.
  bool begin() {
    recorder_.begin(to_string(options_.integrator));
    stiff_ = options_.integrator == Integrator::rodas5p;
    const State x = coordinates_.initial_state();
    snapshot(0.0, x);
    try {
      start(0.0, x, recorder_.stage().duration);
    } catch (const NonFinite& fault) {
      record().outcome = Outcome::non_finite;
      record().hint = fmt::format(
          "the gradient is not finite at the stage's start, in {}, where {}: start from other "
          "values",
          coordinates_.component(fault.component), extremes(state_.start));
      return false;
    }
    save();
    return true;
  }

  /// Hint for a step size that fell too low.
  std::string stuck() {
    const StepStatistics& s = statistics();
    return fmt::format(
        "the step size fell to {:.3g} at t = {:.6g}, worst in {}; {} of {} steps were "
        "rejected, {} of them because a value was not finite: loosen the relative tolerance{}",
        dt_, t_, coordinates_.component(memory_.worst), s.rejected_steps,
        s.rejected_steps + s.accepted_steps, s.non_finite_steps,
        automatic() || stiff_ ? "" : ", or use a stiff integrator");
  }

  /// Hint for a stage that a limit ended: how far it came, what limited the step size, what to try.
  std::string pace() {
    const Index steps = statistics().accepted_steps + statistics().rejected_steps;
    if (steps == 0) return "the stage made no step";
    const bool unstable = !stiff_ && watch_.votes == steps_before_stiff;
    return fmt::format(
        "{} step{} of this stage came to t = {:.6g} of {:.6g}; the step size is {:.3g}, limited "
        "by {}: {}",
        steps, steps == 1 ? "" : "s", t_, recorder_.stage().duration, dt_,
        unstable ? "stability, not by accuracy"
                 : "the accuracy of " + coordinates_.component(memory_.worst),
        unstable ? "use a stiff integrator"
                 : "allow more steps or time, or loosen the relative tolerance");
  }

  /// After an accepted step of size dt: changes the method if the flow has become stiff or is no
  /// longer stiff. Leaves the Jacobian at the step's end in to_.jacobian if it was computed.
  void watch_stiffness(double t_new, double dt) {
    const double limit = dormand_prince_stability;
    if (stiff_) {
      if (!automatic()) return;
      const double reach = dt * spectral_radius(from_.jacobian);
      if (watch_.vote(reach < 0.5 * limit, steps_before_explicit))
        change_method(t_new,
                      fmt::format("the step size times the spectral radius of the Jacobian has "
                                  "come down to {:.3g}, dopri5 is stable up to {}",
                                  reach, limit));
      return;
    }
    if (options_.integrator == Integrator::fehlberg78) return;
    const State unit = scale(from_.x, to_.x);
    const double estimate = (to_.slope - to_.stage_slope).cwiseQuotient(unit).norm() /
                            (to_.x - to_.stage).cwiseQuotient(unit).norm();
    if (!watch_.vote(dt * estimate > limit, steps_before_stiff) || !automatic()) return;
    watch_ = {};
    try {
      count_jacobian(to_.x, to_.jacobian);
    } catch (const NonFinite&) {
      return;
    }
    const double reach = dt * spectral_radius(to_.jacobian);
    if (reach >= 0.5 * limit)
      change_method(t_new, fmt::format("the step size times the spectral radius of the Jacobian is "
                                       "{:.3g}, dopri5 is stable up to {}",
                                       reach, limit));
    else
      to_.jacobian.resize(0, 0);
  }

  void change_method(double t, std::string reason) {
    IntegratorSwitch change{t, method().name(), "", std::move(reason)};
    stiff_ = !stiff_;
    change.to = method().name();
    record().switches.push_back(std::move(change));
    watch_ = {};
  }

  /// Records every output time in (t, t_new] of the step just accepted, without changing its
  /// result.
  void record_until(double t_new, double dt) {
    auto count_as_output = [this](const State& x, State& dxdt) {
      ++statistics().output_evaluations;
      system_.slope(x, dxdt);
    };
    State between;
    Index& next = state_.stepper.next_output;
    for (; next < static_cast<Index>(times_.size()); ++next) {
      const double t = times_[static_cast<std::size_t>(next)];
      if (!(t <= t_new)) break;
      if (t < t_new) method().interpolate(count_as_output, from_, to_, dt, t - t_, between);
      snapshot(t, t < t_new ? between : to_.x);
    }
  }

  void snapshot(double t, const State& x) {
    const Point at = coordinates_.point(x);
    recorder_.snapshot(t, coordinates_.parameters(x), at, coordinates_.dissipated(x),
                       [&](const Gradient& gradient) {
                         return std::sqrt(coordinates_.dissipation(x, at, gradient));
                       });
  }

  TrainingState& state_;
  const FlowOptions& options_;
  StageRecorder recorder_;
  Coordinates coordinates_;
  StageSystem system_;
  std::vector<double> times_;
  std::unique_ptr<Method> explicit_, implicit_;
  bool stiff_ = false;  ///< the implicit method is in use
  StiffnessWatch watch_;
};

}  // namespace

Outcome train_flow(TrainingState& state, const Schedule& schedule, const Objective& objective,
                   const Objective* validation, const FlowOptions& options, Observer* observer) {
  return run_stages(state, schedule, observer, [&] {
    return StageRun(state, schedule, objective, validation, options, observer).run();
  });
}

ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const FlowOptions& options) {
  ErrorList errors = state_errors(state, schedule);
  if (!errors.empty() || !state.stepper.active) return errors;
  const Index n = Coordinates(schedule[static_cast<std::size_t>(state.stage)], state.start).size();
  const StepperState& s = state.stepper;
  const auto* memory = std::get_if<FlowState>(&s.method);
  if (memory == nullptr) {
    errors.add(fault("the state is one of gradient descent", "", "must be one of the flow"));
    return errors;
  }
  check_size("x", s.x.size(), n, errors);
  check_size("slope", memory->slope.size(), n, errors);
  check_size("jacobian", memory->jacobian.size(), memory->jacobian.empty() ? 0 : n * n, errors);
  if (!all_finite(memory->slope)) errors.add(fault("slope", "", "must be finite"));
  const double duration = schedule[static_cast<std::size_t>(state.stage)].duration;
  if (s.t > duration) {
    errors.add(fault("t", s.t, "must be at most the stage's duration, {}", duration));
  }
  const std::string& integrator = state.trajectory.stages.back().integrator;
  if (std::find(integrators.begin(), integrators.end(),
                std::pair(options.integrator, std::string_view(integrator))) == integrators.end()) {
    errors.add(fault(Field::integrator, fmt::format("{} of stage {}", integrator, state.stage + 1),
                     "must be {}", to_string(options.integrator)));
  }
  return errors;
}

}  // namespace gihflow
