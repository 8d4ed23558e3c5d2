#include "gihflow/flow/descent.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/make_fault.hpp"
#include "flow/cartesian.hpp"
#include "flow/stages.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/flow/hessian.hpp"

namespace gihflow {

std::string to_string(Optimizer optimizer) {
  return optimizer == Optimizer::adam       ? "adam"
         : optimizer == Optimizer::momentum ? "momentum"
                                            : "gd";
}

Index descent_steps(const Stage& stage, double learning_rate) {
  return static_cast<Index>(std::llround(stage.duration / learning_rate));
}

double stage_rate(const DescentOptions& options, std::size_t stage) {
  return options.stage_rates.empty() ? options.learning_rate : options.stage_rates[stage];
}

double rate_factor(const DescentOptions& options, Index k, Index steps) {
  if (k < options.warm_up) return static_cast<double>(k + 1) / static_cast<double>(options.warm_up);
  if (options.rate_schedule == RateSchedule::constant) return 1.0;
  const double part =
      static_cast<double>(k - options.warm_up) / static_cast<double>(steps - options.warm_up);
  return 0.5 * (1.0 + std::cos(std::numbers::pi * part));
}

ErrorList descent_errors(const Schedule& schedule, const DescentOptions& options, Index chains) {
  ErrorList errors;
  if (!options.stage_rates.empty() && options.stage_rates.size() != schedule.size()) {
    errors.add(fault(Field::learning_rate, fmt::format("{}", fmt::join(options.stage_rates, ",")),
                     "must be one number, or one for each of the {} stages", schedule.size()));
    return errors;
  }
  for (std::size_t k = 0; k < schedule.size(); ++k) {
    const Stage& stage = schedule[k];
    const double rate = stage_rate(options, k);
    if (!std::isfinite(rate) || rate <= 0.0) {
      errors.add(fault(Field::learning_rate, rate, "must be a positive finite number"));
      if (options.stage_rates.empty()) break;
    } else {
      if (options.warm_up > 0 && static_cast<double>(options.warm_up) > stage.duration / rate)
        errors.add(fault(Field::warm_up, options.warm_up,
                         "must be at most the steps of '{}', {:.6g}", to_string(Schedule{stage}),
                         stage.duration / rate));
      if (stage.duration / rate < 0.5)
        errors.add(fault(Field::stages, "",
                         "'{}' rounds to no step at {} {}; TIME must be at least half of it",
                         to_string(Schedule{stage}), Field::learning_rate, rate));
      else if (!(stage.duration / rate <= 0x1p53))
        errors.add(
            fault(Field::stages, "", "'{}' takes {:.3g} steps at {} {}; at most 2^53 are allowed",
                  to_string(Schedule{stage}), stage.duration / rate, Field::learning_rate, rate));
    }
  }
  if (options.warm_up < 0) errors.add(fault(Field::warm_up, options.warm_up, "must be at least 0"));
  if (options.batch < 0 || (!options.resample && options.batch > chains))
    errors.add(fault(Field::batch, options.batch,
                     "must be between 0 (all chains) and the number of chains, {}", chains));
  return errors;
}

namespace {

constexpr double momentum_decay = 0.9;
constexpr double first_decay = 0.9, second_decay = 0.999, adam_guard = 1e-8;

/// Number of moments that an optimizer keeps for each component.
Index moments_of(Optimizer optimizer) {
  return optimizer == Optimizer::adam ? 2 : optimizer == Optimizer::momentum ? 1 : 0;
}

/// The recorded steps of a stage: those nearest to `times`, each once, first and last included.
std::vector<Index> output_steps(const std::vector<double>& times, double rate, Index steps) {
  std::vector<Index> out{0};
  for (double t : times) {
    const Index k = std::min(static_cast<Index>(std::llround(t / rate)), steps);
    if (k > out.back()) out.push_back(k);
  }
  if (out.back() < steps) out.push_back(steps);
  return out;
}

/// The minibatch of each step: consecutive pieces of a random order of all chains, a new order each
/// epoch.
class Batches {
 public:
  Batches(Index chains, Index batch, std::uint64_t seed)
      : batch_(batch), seed_(seed), order_(static_cast<std::size_t>(chains)) {}

  std::span<const Index> of_step(Index step) {
    const Index chains = static_cast<Index>(order_.size());
    const Index per_epoch = (chains + batch_ - 1) / batch_;
    const Index first = step % per_epoch * batch_;
    if (step / per_epoch != epoch_) shuffle(step / per_epoch);
    return std::span<const Index>(order_).subspan(
        static_cast<std::size_t>(first),
        static_cast<std::size_t>(std::min(batch_, chains - first)));
  }

 private:
  /// Fisher–Yates shuffle by the stream of this epoch.
  void shuffle(Index epoch) {
    epoch_ = epoch;
    std::iota(order_.begin(), order_.end(), Index{0});
    Stream stream(seed_, Purpose::batch, Variate::order, epoch);
    for (std::size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1],
                order_[static_cast<std::size_t>(stream.uniform() * static_cast<double>(i))]);
  }

  Index batch_;
  std::uint64_t seed_;
  Index epoch_ = -1;
  std::vector<Index> order_;
};

/// One stage of descent, starting where the state stands.
class StageDescent {
 public:
  StageDescent(TrainingState& state, const Schedule& schedule, const Objective& objective,
               const Objective* validation, const DescentOptions& options, Observer* observer)
      : state_(state),
        objective_(objective),
        options_(options),
        recorder_(state, schedule, objective, validation, observer),
        stage_(recorder_.stage()),
        coordinates_(stage_, state.start),
        size_(coordinates_.size()),
        rate_(stage_rate(options, static_cast<std::size_t>(state.stage))),
        steps_(descent_steps(stage_, rate_)),
        outputs_(output_steps(recorder_.times(options.times, options.outputs, options.first_output),
                              rate_, steps_)),
        batches_(options.batch > 0 && options.batch < objective.chains() ? objective.chains() : 0,
                 options.batch, options.seed),
        minibatch_(options.batch > 0 && options.batch < objective.chains()),
        wanted_(derivatives_in(stage_.blocks)) {}

  Outcome run() {
    if (!state_.stepper.active) begin();
    x_ = Eigen::Map<const Eigen::VectorXd>(state_.stepper.x.data(), size_);
    steps_before_ = total_steps(state_) - step();
    record().outcome = Outcome::running;
    record().hint.clear();
    while (record().outcome == Outcome::running && step() < steps_) {
      record().outcome = one_step();
      if (record().outcome == Outcome::running) record().outcome = recorder_.notify();
    }
    if (step() >= steps_) record().outcome = Outcome::reached;
    return record().outcome;
  }

 private:
  StageRecord& record() { return recorder_.record(); }
  DescentState& memory() { return std::get<DescentState>(state_.stepper.method); }
  Index& step() { return memory().step; }
  double& dissipated() { return state_.stepper.x.back(); }
  double* moments(Index which) { return memory().moments.data() + which * size_; }

  void begin() {
    recorder_.begin(to_string(options_.optimizer));
    x_ = coordinates_.initial_point();
    StepperState& s = state_.stepper;
    s.dt = rate_;
    s.x.assign(x_.begin(), x_.end());
    s.x.push_back(0.0);
    s.method = DescentState{
        0, coordinates_.normalizer(x_),
        std::vector<double>(static_cast<std::size_t>(moments_of(options_.optimizer) * size_))};
    snapshot();
  }

  /// Computes the gradient of the next step in slope_.
  void evaluate() {
    ++record().statistics.rhs_evaluations;
    coordinates_.point(x_, at_);
    const Index step_of_run = steps_before_ + step();
    if (options_.resample)
      options_.resample(step_of_run)->gradient(at_, g_, false);
    else if (minibatch_)
      objective_.batch_gradient(batches_.of_step(step_of_run), at_, g_);
    else
      objective_.gradient_in(wanted_, at_, g_, false);
    coordinates_.gradient(x_, at_, g_, slope_);
  }

  /// −Δx/η for the gradient in slope_, advancing the optimizer's moments.
  void find_move() {
    move_ = slope_;
    if (options_.optimizer == Optimizer::momentum) {
      double* velocity = moments(0);
      for (Index i = 0; i < size_; ++i)
        move_[i] = velocity[i] = momentum_decay * velocity[i] + slope_[i];
    } else if (options_.optimizer == Optimizer::adam) {
      double *first = moments(0), *second = moments(1);
      const double k = static_cast<double>(step() + 1);
      const double first_seen = 1.0 - std::pow(first_decay, k);
      const double second_seen = 1.0 - std::pow(second_decay, k);
      for (Index i = 0; i < size_; ++i) {
        first[i] = first_decay * first[i] + (1.0 - first_decay) * slope_[i];
        second[i] = second_decay * second[i] + (1.0 - second_decay) * slope_[i] * slope_[i];
        move_[i] = first[i] / first_seen / (std::sqrt(second[i] / second_seen) + adam_guard);
      }
    }
  }

  Outcome one_step() {
    if (steps_before_ + step() >= options_.max_steps) return Outcome::step_limit;
    evaluate();
    if (!slope_.allFinite()) return diverged("gradient");
    find_move();
    const double rate = rate_ * rate_factor(options_, step(), steps_);
    x_new_ = x_ - rate * move_;
    const double normalizer = coordinates_.normalizer(x_new_);
    if (!x_new_.allFinite() || !std::isfinite(normalizer) || !(normalizer > 0.0))
      return diverged("next point");

    StepperState& s = state_.stepper;
    std::swap(x_, x_new_);
    std::copy(x_.begin(), x_.end(), s.x.begin());
    dissipated() += rate * slope_.squaredNorm();
    if (stage_.blocks.has('c') && !coordinates_.has_fixed_coefficients() &&
        options_.optimizer == Optimizer::gd) {
      memory().predicted_normalizer +=
          rate * rate * slope_.head(coordinates_.coefficients()).squaredNorm();
      record().gauge_drift = std::max(
          record().gauge_drift, std::abs(std::log(normalizer / memory().predicted_normalizer)));
    }
    ++step();
    ++record().statistics.accepted_steps;
    s.t = rate_ * static_cast<double>(step());
    if (step() == outputs_[static_cast<std::size_t>(s.next_output)]) {
      snapshot();
      ++s.next_output;
    }
    recorder_.keep_restart_point();
    return Outcome::running;
  }

  Outcome diverged(const char* what) {
    ++record().statistics.non_finite_steps;
    const Snapshot& last = record().snapshots.back();
    record().hint = fmt::format(
        "the {} is not finite at t = {:.6g}, after {} steps; at the point recorded at t = "
        "{:.6g} descent is stable for learning rates below 2/lambda_max = {:.3g} only: use a "
        "smaller one than {}",
        what, state_.stepper.t, step(), last.t,
        2.0 / largest_eigenvalue(Hessian(objective_, stage_, last.parameters)), rate_);
    return Outcome::non_finite;
  }

  void snapshot() {
    coordinates_.point(x_, at_);
    recorder_.snapshot(state_.stepper.t, coordinates_.parameters(x_), at_, dissipated(),
                       [&](const Gradient& gradient) {
                         coordinates_.gradient(x_, at_, gradient, slope_);
                         return slope_.norm();
                       });
  }

  TrainingState& state_;
  const Objective& objective_;
  const DescentOptions& options_;
  StageRecorder recorder_;
  const Stage& stage_;
  Cartesian coordinates_;
  Index size_;
  double rate_;
  Index steps_;
  std::vector<Index> outputs_;  ///< steps that are recorded
  Index steps_before_ = 0;      ///< of earlier stages
  Batches batches_;
  bool minibatch_;
  Derivatives wanted_;
  Point at_;
  Gradient g_;
  Eigen::VectorXd x_, x_new_, slope_, move_;
};

}  // namespace

Outcome train_descent(TrainingState& state, const Schedule& schedule, const Objective& objective,
                      const Objective* validation, const DescentOptions& options,
                      Observer* observer) {
  descent_errors(schedule, options, objective.chains()).throw_if_any();
  return run_stages(state, schedule, observer, [&] {
    return StageDescent(state, schedule, objective, validation, options, observer).run();
  });
}

ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const DescentOptions& options) {
  ErrorList errors = state_errors(state, schedule);
  if (!errors.empty() || !state.stepper.active) return errors;
  const Stage& stage = schedule[static_cast<std::size_t>(state.stage)];
  const Index n = Cartesian(stage, state.start).size();
  const StepperState& s = state.stepper;
  const auto* memory = std::get_if<DescentState>(&s.method);
  if (memory == nullptr) {
    errors.add(fault("the state is one of the flow", "", "must be one of gradient descent"));
    return errors;
  }
  check_size("x", s.x.size(), n + 1, errors);
  check_size("moments", memory->moments.size(), moments_of(options.optimizer) * n, errors);
  const Index steps =
      descent_steps(stage, stage_rate(options, static_cast<std::size_t>(state.stage)));
  if (errors.empty() && (memory->step < 0 || memory->step > steps)) {
    errors.add(fault("step", memory->step, "must be from 0 to {}", steps));
  }
  const std::string& optimizer = state.trajectory.stages.back().integrator;
  if (optimizer != to_string(options.optimizer)) {
    errors.add(fault(Field::optimizer, fmt::format("{} of stage {}", optimizer, state.stage + 1),
                     "must be {}", to_string(options.optimizer)));
  }
  return errors;
}

}  // namespace gihflow
