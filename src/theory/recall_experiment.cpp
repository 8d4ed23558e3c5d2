#include <fmt/format.h>

#include <algorithm>

#include "gihflow/theory/accuracy.hpp"
#include "gihflow/theory/recall_law.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr Index length = 256, sequences = 2000;
constexpr Index asked = 6000;  // sequences at each test length
constexpr double duration = 2000.0;

/// For each sequence, the number of times that the label's token occurs at the admitted positions,
/// all but the first.
std::vector<Index> label_counts(const SequenceSource& source) {
  std::vector<Token> tokens(size(source.length() + 1));
  std::vector<double> targets(size(source.vocabulary()));
  std::vector<Index> counts;
  for (Index n = 0; n < source.count(); ++n) {
    source.draw(n, tokens, targets);
    counts.push_back(std::count(tokens.begin() + 1, tokens.end() - 1, tokens.back()));
  }
  return counts;
}

/// Flow time at which a trajectory reaches a, by interpolation in e^{−a}.
double time_of(const std::vector<Snapshot>& snapshots, double a) {
  const auto past = std::find_if(snapshots.begin() + 1, snapshots.end(),
                                 [a](const Snapshot& s) { return s.parameters.a >= a; });
  if (past == snapshots.end()) return std::numeric_limits<double>::quiet_NaN();
  const Snapshot &before = *(past - 1), &after = *past;
  const double from = std::exp(-before.parameters.a), to = std::exp(-after.parameters.a);
  return before.t + (after.t - before.t) * (from - std::exp(-a)) / (from - to);
}

}  // namespace

void recall_experiment(Verifier& verifier) {
  Model model;
  model.vocabulary = 16;
  model.window = model.heads = model.degree = 1;
  const Index ordinary = model.vocabulary - 1, positions = length - 1;
  const auto source = verifier.recall_sequences(length, sequences);
  const Parameters start = selected_start(model, {1}, {one_hot_logit, 0.0, 0.01, 0.01});
  const double from = start.a, epsilon = model.epsilon;
  const auto snapshots = verifier.fly(make_objective(model, *source), start,
                                      {.blocks = "a", .duration = duration}, 400, 0.1);
  const std::string setting = fmt::format("recall at length {}", length);

  // (8.6) with the counts of each sequence: ∫ da/ȧ between outputs by Simpson's rule.
  const std::vector<Index> counts = label_counts(*source);
  const auto slowness = [&](double a) { return 1.0 / recall_speed(counts, positions, epsilon, a); };
  Curve curve{Quantity::recall_time, {}, setting, "a", "flow time", {}, {}, {}};
  double time = 0.0;
  WorstPair worst, by_mean;
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    const double before = snapshots[i - 1].parameters.a, a = snapshots[i].parameters.a;
    time +=
        (a - before) / 6.0 * (slowness(before) + 4.0 * slowness(0.5 * (before + a)) + slowness(a));
    worst.see(time, snapshots[i].t);
    const double closed = recall_time(positions, ordinary, epsilon, from, a);
    by_mean.see(closed, snapshots[i].t);
    curve.x.push_back(a);
    curve.measured.push_back(snapshots[i].t);
    curve.predicted.push_back(closed);
  }
  verifier.compare(Quantity::recall_growth, {}, setting, worst.predicted, worst.measured, 1e-3,
                   fmt::format("(8.6) over {} sequences, a from {} to {:.3g}", sequences, from,
                               snapshots.back().parameters.a));
  verifier.compare(Quantity::recall_growth, {}, setting + ", mean counts", by_mean.predicted,
                   by_mean.measured, 0.05, "(8.8), counts replaced by their mean");
  verifier.compare(Quantity::recall_plateau, {}, setting,
                   std::exp(-from) / recall_speed(counts, positions, epsilon, 0.0),
                   plateau_end(snapshots), 0.03,
                   "(8.7), from the slope of e^(-a) at a = 0; measured up to a = 0.5");
  const double wanted = recall_threshold(positions, ordinary, 1.0 - prediction_delta);
  verifier.compare(
      Quantity::recall_time, {}, setting, recall_time(positions, ordinary, epsilon, from, wanted),
      time_of(snapshots, wanted), 0.05, fmt::format("(8.8) until the a of (8.5), {:.3g}", wanted));
  const Snapshot &end = snapshots.back(), &late = snapshots[snapshots.size() - 20];
  verifier.compare(Quantity::recall_rate, {}, setting, recall_rate(positions, ordinary, epsilon),
                   (std::exp(end.parameters.a) - std::exp(late.parameters.a)) / (end.t - late.t),
                   5e-3, fmt::format("(8.8), t from {:.3g} to {:.3g}", late.t, end.t));
  verifier.add(std::move(curve));

  // (8.5), at the a at which it predicts half of the answers right.
  for (const Index tested : {Index{1} << 10, Index{1} << 13}) {
    Parameters at = start;
    at.a = recall_threshold(tested - 1, ordinary, 0.5);
    const Accuracy found = model_accuracy(*verifier.recall_sequences(tested, asked), model, at);
    verifier.compare(Quantity::recall_accuracy, {}, fmt::format("recall at length {}", tested),
                     recall_accuracy(tested - 1, ordinary, at.a), found.share, 0.1,
                     fmt::format("(8.5) for lengths far above the vocabulary; {} asked, standard "
                                 "error {:.2g}",
                                 asked, found.error));
  }
}

}  // namespace gihflow
