#include <fmt/format.h>

#include <algorithm>

#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/replicator.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr double delta = prediction_delta;

/// Compares stage I with the replicator equation: the set that takes over, the time, and the slopes
/// of the log-odds against it, either all with their curves or only the one with the largest
/// difference.
void compare_selection(Verifier& verifier, const std::shared_ptr<const Objective>& objective,
                       const Parameters& start, const std::vector<double>& gain,
                       const std::string& setting, const std::string& regime, bool every_slope) {
  const Replicator replicator(start, gain);
  const double expected = replicator.takeover_time(delta), duration = 1.5 * expected;
  const auto snapshots =
      verifier.fly(objective, start, {.blocks = "c", .duration = duration}, 200, duration / 200.0);
  const auto sets = subsets(start.heads, start.degree);
  const auto set = [&](Index i) { return sets[size(i)]; };
  const Index winner = replicator.winner();
  verifier.compare_sets(Quantity::takeover_set, setting, to_string_subset(set(winner)),
                        to_string_subset(set(leading_set(snapshots.back().parameters))), regime);
  const auto compare_slope = [&](const Subject& subject, double predicted, double measured) {
    verifier.compare(Quantity::log_odds_slope, subject, setting, predicted, measured, 0.01, regime);
  };
  WorstPair worst;
  Subject worst_subject;
  for (Index i = 0; i < static_cast<Index>(sets.size()); ++i) {
    if (i == winner) continue;
    const Subject subject{.set = set(i), .other = set(winner)};
    const double slope = replicator.slope(i, winner), from = log_odds(snapshots.front(), i, winner);
    const double seen = (log_odds(snapshots.back(), i, winner) - from) / duration;
    if (worst.see(slope, seen)) worst_subject = subject;
    if (!every_slope) continue;
    compare_slope(subject, slope, seen);
    Curve curve{Quantity::log_odds_slope, subject, setting, "flow time", "log odds", {}, {}, {}};
    for (const Snapshot& s : snapshots) {
      curve.x.push_back(s.t);
      curve.measured.push_back(log_odds(s, i, winner));
      curve.predicted.push_back(from + slope * s.t);
    }
    verifier.add(std::move(curve));
  }
  if (!every_slope) compare_slope(worst_subject, worst.predicted, worst.measured);
  verifier.compare(Quantity::takeover_time, {}, setting, expected,
                   takeover_of(snapshots, winner, delta), 0.01, regime);
}

}  // namespace

void selection_experiment(Verifier& verifier, const std::vector<Index>& parents) {
  const Model model = model_with(0.0);
  const Kernels kernels = verifier.kernels(parents, 0.1, 300);
  std::vector<double> information;
  for (const RankedSet& set : rank_lag_sets(kernels, model.window, model.degree).sets)
    information.push_back(set.modified);
  const bool every_slope = parents == std::vector<Index>{1, 2};
  compare_selection(
      verifier, make_infinite_objective(model, kernels),
      initial_parameters(model, {one_hot_logit, 0.0, 0.01, 0.001}), information,
      "parents " + set_of_lags(parents),
      fmt::format("(7.1) with the modified chi-square information, a = 0.001, one-hot attention, "
                  "epsilon = 0, infinite context, 300 kernels of Dirichlet(0.1){}",
                  every_slope ? "" : "; of all slopes the one furthest off"),
      every_slope);
}

void finite_selection_experiment(Verifier& verifier) {
  const Model model = model_with(0.01);
  const std::shared_ptr<const Objective> objective = make_objective(model, *verifier.sequences());
  const Parameters start = initial_parameters(model, {3.0, 0.01, 0.01, 0.001});
  compare_selection(verifier, objective, start, selection_gain(*objective, start), "context of 100",
                    "(7.1) with G_L as trained, a = 0.001, the paper's attention at the start, "
                    "epsilon = 0.01, L = 100, 1,000 chains",
                    true);
}

}  // namespace gihflow
