#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/flow.hpp"

namespace GIHFLOW_API gihflow {

/// How a step follows from the gradient g, with learning rate η. Each trained number has its own
/// memory; memories are empty at a stage's start.
///   gd:       x ← x − ηg.
///   momentum: v ← 0.9v + g, x ← x − ηv (heavy ball; Polyak 1964).
///   adam:     m ← 0.9m + 0.1g, s ← 0.999s + 0.001g², x ← x − ηm̂/(√ŝ + 1e-8) with
///             m̂ = m/(1 − 0.9^k), ŝ = s/(1 − 0.999^k) in step k = 1, 2, … (Kingma & Ba 2015).
enum class Optimizer { gd, momentum, adam };
/// "gd", "momentum", "adam".
std::string to_string(Optimizer optimizer);

/// Builds the objective that a step takes its gradient from; `step` counts the steps of the run
/// from 0, over all stages.
using ObjectiveOfStep = std::function<std::unique_ptr<Objective>(Index step)>;

/// How the rate of a step changes in a stage of K steps: constant, or η·½(1 + cos πk/K).
enum class RateSchedule { constant, cosine };

/// How gradient descent steps (3.6).
struct DescentOptions {
  Optimizer optimizer = Optimizer::gd;
  double learning_rate = 1.0;            ///< η > 0
  std::vector<double> stage_rates = {};  ///< η of each stage; empty: learning_rate in all
  RateSchedule rate_schedule = RateSchedule::constant;
  /// Steps at the start of a stage in which the rate rises linearly to η; the schedule is that of
  /// the steps after them.
  Index warm_up = 0;
  Index batch = 0;         ///< chains of a minibatch, at most N; 0: all in every step
  std::uint64_t seed = 1;  ///< of the order in which minibatches visit the chains
  /// Fresh chains for each step; then `batch` is not looked at. Empty: the chains of the objective.
  ObjectiveOfStep resample;
  Index outputs = 200;      ///< recorded points a stage, ≥ 2
  double first_output = 0;  ///< first positive output time; 0: min(1, duration/1000)
  /// Recorded times of each stage instead of those of output_times, in increasing order; rounded to
  /// steps, t = 0 and the end always included.
  std::vector<std::vector<double>> times;
  Index max_steps = std::numeric_limits<Index>::max();  ///< of a run
};

/// η of a stage, counted from 0.
double stage_rate(const DescentOptions& options, std::size_t stage);

/// Steps that a stage takes, round(TIME/η).
Index descent_steps(const Stage& stage, double learning_rate);

/// What η is multiplied by in step k, from 0, of a stage of `steps`.
double rate_factor(const DescentOptions& options, Index k, Index steps);

/// Sentences on options that train_descent refuses, for `chains` = N chains: η not positive and
/// finite, another number of them than of stages, a stage of no steps or of more than 2^53, a
/// longer warm-up than a stage, a batch outside [0, N].
ErrorList descent_errors(const Schedule& schedule, const DescentOptions& options, Index chains);

/// Why train_descent could not go on from `state`, as continuation_errors of the flow.
ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const DescentOptions& options);

/// Gradient descent in (c, w, a) through the schedule, from wherever `state` stands: a stage takes
/// round(TIME/η) steps, and step k stands at flow time t = ηk; where a schedule or a warm-up lowers
/// the rate, t still counts steps of η. Observer, validation and outcomes
/// are those of train_flow; a run that stops after any step continues with the same bits.
///
/// Full batch, minibatches of chains (each epoch a fresh order of all chains, a pure function of
/// the seed, cut into batches of which the last may be smaller; epochs go on through stages), or
/// fresh chains every step.
///
/// Recorded at output_times rounded to distinct steps: c as θ = log c² and sign (a coefficient may
/// pass through zero; one below about 1e-308 is 0, and stays so under gd), losses and gradient norm
/// of all chains of `objective`; `dissipated` is Σ η‖g‖² over the gradients of the steps, a left
/// Riemann sum of (3.5), so that `energy_residual` tells how far descent is from a flow, O(η);
/// `gauge_drift` is, under gd, the largest |log C_D − log(C_D(0) + η²Σ‖∇_c𝓛‖²)|, rounding alone by
/// (3.2), and 0 under the other optimizers. Each stage's `integrator` is the optimizer's name.
///
/// A gradient or a state that is not finite ends the run as non_finite at the step before, with a
/// hint on the stability limit (3.7). Throws InputError with descent_errors.
Outcome train_descent(TrainingState& state, const Schedule& schedule, const Objective& objective,
                      const Objective* validation, const DescentOptions& options,
                      Observer* observer);

}  // namespace gihflow
