#include <fmt/format.h>

#include <cmath>

#include "gihflow/theory/sharpening.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

/// (7.5) where its expansion holds: ε = 0, π bounded away from 0, contexts that occur often.
void long_context_experiment(Verifier& verifier) {
  constexpr double alpha = 3.0;
  constexpr Index length = 1000, count = 4000;
  const Model model = model_with(0.0);
  const Kernels kernels = verifier.kernels({1, 2}, alpha, count);
  const double expected =
      long_context_plateau(context_laws(kernels, kernels.parents), length - model.window, 0.0);
  const std::shared_ptr<const Objective> objective =
      make_objective(model, *verifier.sequences(alpha, length, count));
  const Parameters start = selected_start(model, {1, 2}, {one_hot_logit, 0.0, 0.01, expected});
  const double duration = 20.0 / plateau(*objective, point_of(start)).curvature;
  const auto snapshots =
      verifier.fly(objective, start, {.blocks = "a", .duration = duration}, 2, 0.0);
  verifier.compare(Quantity::plateau, {}, "context of 1000, epsilon 0, alpha 3", expected,
                   snapshots.back().parameters.a, 0.02,
                   "(7.5), log L and a constant of the prior; one-hot attention, to order 1/L and "
                   "for 4,000 chains");
}

}  // namespace

void plateau_experiment(Verifier& verifier) {
  const Model model = model_with(0.01);
  const std::shared_ptr<const Objective> objective = make_objective(model, *verifier.sequences());
  const Parameters start = selected_start(model, {1, 2}, {one_hot_logit, 0.0, 0.01, 0.01});
  const Plateau expected = plateau(*objective, point_of(start));
  if (std::isnan(expected.a)) return;
  // Twenty times the relaxation time 1/𝓛''(a*).
  const double duration = 20.0 / expected.curvature;
  const auto snapshots =
      verifier.fly(objective, start, {.blocks = "a", .duration = duration}, 200, 0.0);
  const std::string setting = "context of 100";
  verifier.compare(Quantity::plateau, {}, setting, expected.a, snapshots.back().parameters.a, 1e-3,
                   fmt::format("root of the slope of the loss, one-hot attention, "
                               "L = 100, 1,000 chains, at t = {:.2g}",
                               duration));
  Curve curve{Quantity::plateau, {}, setting, "flow time", "a", {}, {}, {}};
  for (const Snapshot& s : snapshots) {
    if (s.t == 0.0) continue;
    curve.x.push_back(s.t);
    curve.measured.push_back(s.parameters.a);
    curve.predicted.push_back(expected.a);
  }
  verifier.add(std::move(curve));
  long_context_experiment(verifier);
}

}  // namespace gihflow
