#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gihflow/flow/hessian.hpp"
#include "gihflow/theory/stability.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

/// (3.7) with all blocks at once in the paper's setting: the largest curvature along the flow, and
/// where descent comes to rest.
void stability_experiment(Verifier& verifier) {
  constexpr double duration = 40.0;
  constexpr std::array rates = {1.0, 0.5, 0.2, 0.1};
  const Model model = model_with(0.01);
  const std::shared_ptr<const Objective> objective = make_objective(model, *verifier.sequences());
  const Parameters start = initial_parameters(model, {3.0, 0.01, 0.01, 0.01});
  const Stage stage{.blocks = "cwa", .duration = duration};
  const auto snapshots = verifier.fly(objective, start, stage, 100, 1.0);
  const Parameters& end = snapshots.back().parameters;
  const LargestCurvature expected = largest_curvature(*objective, leading_set(end), start);
  const auto flown = verifier.flown(objective);
  double measured = 0.0;
  for (const Snapshot& s : snapshots)
    measured = std::max(measured, std::exp(s.parameters.log_normalizer()) *
                                      largest_eigenvalue(Hessian(*flown, stage, s.parameters)));
  verifier.compare(Quantity::largest_curvature, {}, {}, expected.curvature, measured, 0.02,
                   fmt::format("(3.7), at a = {:.3g} with p on the leading set and the attention "
                               "at the start; L = 100, 1,000 chains, up to t = {:g}",
                               expected.a, duration));
  double rest = 0.0;
  for (const double rate : rates)
    rest += std::exp(verifier.descend(objective, start, stage, rate).log_normalizer()) / rate;
  verifier.compare(Quantity::descent_normalizer, {}, {}, 0.5 * catapult_excess * expected.curvature,
                   rest / static_cast<double>(rates.size()), 0.25,
                   "(3.7), mean over learning rates 1, 0.5, 0.2, 0.1, each 1 +- 0.2 times it");
}

}  // namespace gihflow
