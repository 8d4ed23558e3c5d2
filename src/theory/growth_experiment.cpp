#include <fmt/format.h>

#include <algorithm>

#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "theory/experiment.hpp"
#include "theory/lattice.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

/// k of ȧ = C e^{−ka} through three points of a trajectory: the root of
/// (e^{k(a₂−a₁)} − 1)/(e^{k(a₃−a₁)} − 1) = (t₂−t₁)/(t₃−t₁). Uses no gradient.
double growth_rate(const Snapshot& s1, const Snapshot& s2, const Snapshot& s3) {
  const double near = s2.parameters.a - s1.parameters.a, far = s3.parameters.a - s1.parameters.a;
  const double ratio = (s2.t - s1.t) / (s3.t - s1.t);
  return root([&](double k) { return std::expm1(k * near) / std::expm1(k * far) - ratio; }, 1e-6,
              20.0);
}

/// C of ȧ = C e^{−ka} between two points, given k.
double growth_constant(const Snapshot& s1, const Snapshot& s2, double k) {
  return (std::exp(k * s2.parameters.a) - std::exp(k * s1.parameters.a)) / (k * (s2.t - s1.t));
}

const Snapshot& nearest_a(const std::vector<Snapshot>& snapshots, double a) {
  const auto off = [a](const Snapshot& s) { return std::abs(s.parameters.a - a); };
  return *std::min_element(snapshots.begin(), snapshots.end(),
                           [&](const Snapshot& x, const Snapshot& y) { return off(x) < off(y); });
}

/// One-hot attention, p = δ_S on the parents' heads, a = 0.
Parameters sharp_start(const Model& model, const std::vector<Index>& parents) {
  return selected_start(model, parents, {one_hot_logit, 0.0, 0.01, 0.0});
}

/// Integrates a from 0 to the time at which the exact law gives `highest`, and compares with that
/// law.
std::vector<Snapshot> grow(Verifier& verifier, const Model& model, const Kernels& kernels,
                           const ContextLaws& laws, double highest, const std::string& setting) {
  const double duration = sharpening_time(laws, 0.0, highest, model.epsilon);
  auto snapshots = verifier.fly(
      make_infinite_objective(model, kernels), sharp_start(model, kernels.parents),
      {.blocks = "a", .duration = duration}, 200, 1e-3 / sharpening_rate(laws, 0.0, model.epsilon));
  Curve curve{Quantity::growth_time, {}, setting, "a", "flow time", {}, {}, {}};
  double time = 0.0, before = 0.0;
  WorstPair worst;
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    const double a = snapshots[i].parameters.a;
    time += a > before ? sharpening_time(laws, before, a, model.epsilon)
                       : -sharpening_time(laws, a, before, model.epsilon);
    before = a;
    curve.x.push_back(a);
    curve.measured.push_back(snapshots[i].t);
    curve.predicted.push_back(time);
    worst.see(time, snapshots[i].t);
  }
  verifier.compare(
      Quantity::growth_time, {}, setting, worst.predicted, worst.measured, 0.005,
      fmt::format("the average (7.3) over chains and contexts, a from 0 to {}", highest));
  verifier.add(std::move(curve));
  return snapshots;
}

}  // namespace

void growth_start_experiment(Verifier& verifier) {
  const Model model = model_with(0.0);
  const std::vector<Index> parents = {1, 2};
  const Kernels kernels = verifier.kernels(parents, 0.1, 300);
  const double information =
      rank_lag_sets(kernels, model.window, model.degree).information_set().modified;
  const double duration = 1e-5 / information;
  const auto snapshots =
      verifier.fly(make_infinite_objective(model, kernels), sharp_start(model, parents),
                   {.blocks = "a", .duration = duration}, 2, 0.0);
  verifier.compare(Quantity::growth_speed, {}, {}, information,
                   snapshots.back().parameters.a / duration, 1e-3,
                   "the modified chi-square information of S*: one-hot attention, p on "
                   "S*, epsilon = 0, infinite context; mean speed up to a = 1e-5");
}

void growth_experiment(Verifier& verifier, double alpha) {
  Model model = model_with(0.0);
  model.vocabulary = 2;
  model.window = model.heads = model.degree = 1;
  const Kernels kernels = lattice_kernels(alpha);
  const ContextLaws laws = context_laws(kernels, kernels.parents);
  const std::string setting = fmt::format("epsilon 0, alpha {}", alpha);
  const auto snapshots = grow(verifier, model, kernels, laws, 13.0, setting);
  const Snapshot &first = nearest_a(snapshots, 10.0), &middle = nearest_a(snapshots, 11.5);
  verifier.compare(
      Quantity::growth_exponent, {}, setting, growth_exponent(alpha, 0.0),
      growth_rate(first, middle, snapshots.back()), 0.03,
      fmt::format(
          "(7.3) for a from 10 to 13, on {} kernels at the quantiles of a lattice: late enough "
          "for the corrections of relative order e^(-a|1-alpha|), early enough for e^-a to stay "
          "above the smallest probabilities, where any finite set of kernels crosses over to "
          "exponent 2",
          kernels.count));
  if (alpha > 2.0)
    verifier.compare(Quantity::fast_growth_constant, {}, setting, fast_growth_constant(laws),
                     growth_constant(first, snapshots.back(), 2.0), 0.01,
                     "kappa of (7.3), a from 10 to 13");
}

void slow_growth_experiment(Verifier& verifier) {
  const Model model = model_with(0.01);
  const Kernels kernels = verifier.kernels({1, 2}, 1.0, 200);
  const ContextLaws laws = context_laws(kernels, kernels.parents);
  const std::string setting = "epsilon 0.01, alpha 1";
  const auto snapshots = grow(verifier, model, kernels, laws, 16.0, setting);
  const Snapshot &first = nearest_a(snapshots, 13.0), &middle = nearest_a(snapshots, 14.5);
  const std::string regime = "(7.3) for a from 13 to 16, any kernels, here 200";
  verifier.compare(Quantity::growth_exponent, {}, setting, growth_exponent(1.0, 0.01),
                   growth_rate(first, middle, snapshots.back()), 0.01, regime);
  verifier.compare(Quantity::slow_growth_constant, {}, setting, slow_growth_constant(laws, 0.01),
                   growth_constant(first, snapshots.back(), 1.0), 0.01, regime);
}

}  // namespace gihflow
