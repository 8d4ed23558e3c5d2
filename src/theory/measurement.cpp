#include "gihflow/theory/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/population/objective.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using Snapshots = std::vector<Snapshot>;

/// Snapshots of the first stage that trains only this block; null if there is none or it has fewer
/// than two points.
const Snapshots* stage_of(const Trajectory& trajectory, char block) {
  for (const StageRecord& record : trajectory.stages)
    if (trains_only(record.stage, block))
      return record.snapshots.size() < 2 ? nullptr : &record.snapshots;
  return nullptr;
}

/// 1 − σ of a head on the component of its largest logit at the start.
double left_by(Index head, const Parameters& start, const Snapshot& s) {
  return unattended(s.parameters, head, leading_component(start, head));
}

double selection(Quantity quantity, const Subject& subject, const Snapshots& s) {
  const double time = takeover_of(s, leading_set(s.back().parameters), prediction_delta);
  if (quantity == Quantity::takeover_time) return time;
  if (quantity != Quantity::log_odds_slope) return nan;
  const Index heads = s.front().parameters.heads;
  const Index set = subset_index(subject.set, heads), other = subset_index(subject.other, heads);
  const auto last =
      std::find_if(s.begin() + 1, s.end(), [&](const Snapshot& x) { return !(x.t < time); });
  const Snapshot& until = last == s.end() ? s.back() : *last;
  return (log_odds(until, set, other) - log_odds(s.front(), set, other)) / until.t;
}

/// Time at which every head of the leading subset has 1 − prediction_delta of its attention on its
/// lag, by interpolation in log t; NaN if that does not happen.
double concentration_time(const Snapshots& s, const Parameters& start) {
  const auto sets = subsets(start.heads, start.degree);
  const auto heads = heads_of(sets[size(leading_set(s.back().parameters))]);
  const auto most_left = [&](const Snapshot& at) {
    double left = 0.0;
    for (const Index head : heads) left = std::max(left, left_by(head, start, at));
    return std::log(left / prediction_delta);
  };
  for (std::size_t i = 2; i < s.size(); ++i) {
    const double before = most_left(s[i - 1]), after = most_left(s[i]);
    if (before > 0.0 && after <= 0.0)
      return s[i - 1].t * std::pow(s[i].t / s[i - 1].t, before / (before - after));
  }
  return nan;
}

}  // namespace

double measure(Quantity quantity, const Subject& subject, const Trajectory& trajectory) {
  if (trajectory.stages.empty() || trajectory.stages.front().snapshots.empty() ||
      trajectory.stages.back().snapshots.empty())
    return nan;
  const Parameters& start = trajectory.stages.front().snapshots.front().parameters;
  const Snapshot& end = trajectory.stages.back().snapshots.back();
  const Snapshots* s = nullptr;
  switch (quantity) {
    case Quantity::normalizer:
      return std::exp(end.parameters.log_normalizer());
    case Quantity::gih_loss:
      return end.loss;
    case Quantity::back_off_share:
    case Quantity::back_off_a: {
      const BlockSet& blocks = trajectory.stages.back().stage.blocks;
      if (!blocks.has('c') || !blocks.has('a')) return nan;
      if (quantity == Quantity::back_off_a) return end.parameters.a;
      const Index set = subset_index(subject.set, end.parameters.heads);
      return 1.0 - point_of(end.parameters).p[size(set)];
    }
    case Quantity::takeover_time:
    case Quantity::log_odds_slope:
      s = stage_of(trajectory, 'c');
      return s ? selection(quantity, subject, *s) : nan;
    case Quantity::concentration_limit:
    case Quantity::concentration_time:
    case Quantity::final_unattended:
      s = stage_of(trajectory, 'w');
      if (!s) return nan;
      if (quantity == Quantity::concentration_time) return concentration_time(*s, start);
      return left_by(subject.head, start, s->back()) *
             (quantity == Quantity::concentration_limit ? s->back().t : 1.0);
    case Quantity::plateau:
    case Quantity::final_a:
      s = stage_of(trajectory, 'a');
      return s ? s->back().parameters.a : nan;
    case Quantity::recall_plateau:
      s = stage_of(trajectory, 'a');
      return s ? plateau_end(*s) : nan;
    case Quantity::recall_rate:
      s = stage_of(trajectory, 'a');
      return s ? std::exp(s->back().parameters.a) / s->back().t : nan;
    default:
      return nan;
  }
}

}  // namespace gihflow
