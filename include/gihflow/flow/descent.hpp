#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/flow.hpp"

namespace GIHFLOW_API gihflow {

/// How a step follows from the gradient g, with learning rate η. Each trained entry has its own
/// moments v, m, s; they are 0 at a stage's start.
///   gd:       x ← x − ηg.
///   momentum: v ← 0.9v + g, x ← x − ηv (heavy ball; Polyak 1964).
///   adam:     m ← 0.9m + 0.1g, s ← 0.999s + 0.001g², x ← x − ηm̂/(√ŝ + 1e-8) with
///             m̂ = m/(1 − 0.9^k), ŝ = s/(1 − 0.999^k) in step k = 1, 2, … (Kingma & Ba 2015).
enum class Optimizer { gd, momentum, adam };
/// "gd", "momentum", "adam".
std::string to_string(Optimizer optimizer);

/// Builds the objective that a step takes its gradient from; `step` is the number of the step, from
/// 0, over all stages of the run.
using ObjectiveOfStep = std::function<std::unique_ptr<Objective>(Index step)>;

/// The rate of step k in a stage of K steps: η, or η·½(1 + cos πk/K); K and k are counted after the
/// warm-up.
enum class RateSchedule { constant, cosine };

/// Options of gradient descent (3.6).
struct DescentOptions {
  Optimizer optimizer = Optimizer::gd;
  double learning_rate = 1.0;            ///< η > 0
  std::vector<double> stage_rates = {};  ///< η of each stage; empty: learning_rate in all
  RateSchedule rate_schedule = RateSchedule::constant;
  /// Number of steps at the start of a stage in which the rate rises linearly to η; the rate
  /// schedule applies to the steps after them.
  Index warm_up = 0;
  Index batch = 0;         ///< chains of a minibatch, at most N; 0: all in every step
  std::uint64_t seed = 1;  ///< for the order in which minibatches visit the chains
  /// Fresh chains for each step; `batch` is then not read. Empty: the chains of the objective.
  ObjectiveOfStep resample;
  Index outputs = 200;      ///< recorded points a stage, ≥ 2
  double first_output = 0;  ///< first positive output time; 0: min(1, duration/1000)
  /// Recorded times of each stage instead of output_times, increasing; rounded to steps, t = 0 and
  /// the end always included.
  std::vector<std::vector<double>> times;
  Index max_steps = std::numeric_limits<Index>::max();  ///< over all stages
};

/// η of a stage, counted from 0.
double stage_rate(const DescentOptions& options, std::size_t stage);

/// Steps that a stage takes, round(TIME/η).
Index descent_steps(const Stage& stage, double learning_rate);

/// Factor of η in step k (from 0) of a stage of `steps` steps: warm-up and rate schedule.
double rate_factor(const DescentOptions& options, Index k, Index steps);

/// Faults that train_descent throws, for `chains` = N chains: η not positive and finite,
/// stage_rates of another length than the schedule, a stage of no steps or of more than 2^53, a
/// warm-up below 0 or longer than a stage, a batch outside [0, N].
ErrorList descent_errors(const Schedule& schedule, const DescentOptions& options, Index chains);

/// Why train_descent cannot continue from `state`; as continuation_errors of the flow.
ErrorList continuation_errors(const TrainingState& state, const Schedule& schedule,
                              const DescentOptions& options);

/// Gradient descent in c and the plain blocks through the schedule, starting where `state` stands:
/// a stage takes round(TIME/η) steps, and step k stands at flow time t = ηk; t counts steps of η
/// also where a schedule or a warm-up lowers the rate. Observer, validation and outcomes are as in
/// train_flow; a run that stops after any step continues with the same bits.
///
/// Full batch, minibatches of chains (each epoch a fresh order of all chains, a pure function of
/// the seed, cut into batches of which the last may be smaller; epochs continue from one stage to
/// the next), or fresh chains every step.
///
/// Recorded at output_times rounded to distinct steps: c as θ = log c² and sign (a coefficient may
/// pass through zero; one below about 1e-308 is 0, and stays so under gd), losses and gradient norm
/// over all chains of `objective`. With η_k the rate of step k, `dissipated` is Σ η_k‖g‖² over the
/// gradients of the steps, a left Riemann sum of (3.5), so `energy_residual` is the O(η) deviation
/// of descent from the flow; `gauge_drift` is, under gd, the largest |log C_D − log(C_D(0) + Σ
/// η_k²‖∇_c𝓛‖²)|, only rounding by (3.2), and 0 under the other optimizers and where only some of
/// the c_S ≠ 0 are trained. Each stage's `integrator` is the optimizer's name.
///
/// A gradient or a state that is not finite ends the run as non_finite in the last finite state,
/// with a hint on the stability limit (3.7). Throws InputError with descent_errors.
Outcome train_descent(TrainingState& state, const Schedule& schedule, const Objective& objective,
                      const Objective* validation, const DescentOptions& options,
                      Observer* observer);

}  // namespace gihflow
