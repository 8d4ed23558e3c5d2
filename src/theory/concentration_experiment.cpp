#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/concentration.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

void concentration_experiment(Verifier& verifier, const std::vector<Index>& parents) {
  constexpr double a = 1e-4, duration = 1e13, nan = std::numeric_limits<double>::quiet_NaN();
  const Model model = model_with(0.01);
  const std::shared_ptr<const Objective> objective =
      make_infinite_objective(model, verifier.kernels(parents, 0.1, 60));
  const Parameters start = selected_start(model, parents, {3.0, 0.01, 0.01, a});
  const Index set = leading_set(start);
  const auto snapshots =
      verifier.fly(objective, start, {.blocks = "w", .duration = duration}, 60, 1e3);
  const std::string setting = "parents " + set_of_lags(parents);
  ReducedAttention reduced(*objective, set, start);
  std::vector<Parameters> path(snapshots.size(), start);
  for (std::size_t i = 0; i < path.size(); ++i) path[i].w = reduced.advance(snapshots[i].t);

  for (const Concentration& c : concentrations(*objective, set, start)) {
    const Subject head{.head = c.head};
    Curve curve{Quantity::unattended,       head, setting, "flow time",
                "1 - attention on its lag", {},   {},      {}};
    Curve limit = curve;
    limit.quantity = Quantity::concentration_limit;
    WorstPair worst;
    double from = nan;  // from this time on the limit holds within 1 %
    for (std::size_t i = 1; i < snapshots.size(); ++i) {
      const double t = snapshots[i].t;
      const double seen = unattended(snapshots[i].parameters, c.head, c.component);
      const double known = unattended(path[i], c.head, c.component);
      curve.x.push_back(t);
      curve.measured.push_back(seen);
      curve.predicted.push_back(known);
      limit.predicted.push_back(c.constant / t);
      worst.see(known, seen);
      if (std::abs(seen * t / c.constant - 1.0) > 0.01)
        from = nan;
      else if (std::isnan(from))
        from = t;
    }
    limit.x = curve.x;
    limit.measured = curve.measured;
    verifier.compare(
        Quantity::concentration_limit, head, setting, c.constant, duration * curve.measured.back(),
        0.01,
        fmt::format("(7.2) at t = 1e13, a = 1e-4 (a*t = 1e9), p on S*, epsilon = 0.01, "
                    "infinite context, 60 kernels; within 1 % from t = {:.2g}",
                    from));
    verifier.compare(Quantity::unattended, head, setting, worst.predicted, worst.measured, 0.01,
                     "gradient flow of a*G(S*;w) in w alone, a = 1e-4");
    verifier.add(std::move(curve));
    verifier.add(std::move(limit));
  }
  double moved = 0.0;
  for (const Snapshot& s : snapshots)
    for (Index h = 0; h < model.heads; ++h) {
      if (std::ranges::find(parents, h + 1) != parents.end()) continue;
      for (Index j = h * model.window; j < (h + 1) * model.window; ++j)
        moved = std::max(moved, std::abs(s.parameters.w[size(j)] - start.w[size(j)]));
    }
  verifier.compare(Quantity::unused_motion, {}, setting, 0.0, moved, 1e-12, "p on S* alone, all t");
}

}  // namespace gihflow
