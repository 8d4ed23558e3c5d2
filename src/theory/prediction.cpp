#include "gihflow/theory/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/theory/concentration.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/predictors.hpp"
#include "gihflow/theory/replicator.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double one_hot_logit = 1000.0;
/// Flow time times a beyond which the reduced flow of stage II is not followed.
constexpr double most_reduced_time = 1e10;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// The stage of a schedule that trains one block alone, as its number, or −1.
Index stage_of(const Schedule& schedule, bool Stage::*block) {
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (schedule[i].*block && schedule[i].c + schedule[i].w + schedule[i].a == 1)
      return static_cast<Index>(i);
  return -1;
}

class Predictor {
 public:
  explicit Predictor(const PredictionInput& input)
      : in_(input),
        model_(input.trained->model()),
        sets_(subsets(model_.heads, model_.degree)),
        ranking_(rank_lag_sets(*input.kernels, model_.widest(), model_.degree)),
        lags_(elements_of(ranking_.information_set().lags)) {
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (attended_lags(in_.start, model_, sets_[i]) == lags_ &&
          elements_of(sets_[i]).size() == lags_.size() && set_ < 0)
        set_ = static_cast<Index>(i);
  }

  std::vector<Prediction> all() {
    const std::string name = fmt::format("{{{}}}", to_string_lags(lags_));
    add({"all", "information set S*", "1", nan, nan, name, "", "the prior, (6.3)"});
    add({"all", "information gap", "1", ranking_.gap, nan, "", "", "the prior, (6.3)"});
    add({"all", "C_D", "1", std::exp(in_.start.log_normalizer()),
         std::exp(in_.start.log_normalizer()), "", "",
         "conserved by the flow (3.2); gradient descent raises it"});
    selection();
    if (set_ >= 0) {
      concentration();
      growth();
    }
    limits();
    return std::move(lines_);
  }

 private:
  void add(Prediction line) { lines_.push_back(std::move(line)); }

  std::vector<double> sharp_attention() const {
    std::vector<double> w(in_.start.w.size(), 0.0);
    for (Index h = 0; h < model_.heads; ++h) {
      const auto row = in_.start.w.begin() + h * model_.window;
      w[size(h * model_.window + (std::max_element(row, row + model_.window) - row))] =
          one_hot_logit;
    }
    return w;
  }

  Parameters selected() const {
    Parameters q = in_.start;
    std::vector<double> c(q.log_c_squared.size(), 0.0);
    c[size(set_)] = 0.01;
    q.set_c(c);
    return q;
  }

  void selection() {
    const Replicator sharp(in_.start, selection_gain(*in_.infinite, sharp_attention()));
    const Replicator trained(in_.start, selection_gain(*in_.trained, in_.start.w));
    const std::string regime =
        "(7.1), exact as a -> 0; sharp: one-hot attention in infinite context, trained: the "
        "attention at the start and the objective as it is";
    add({"I", "set that takes over", "1", nan, nan, to_string_subset(sets_[size(sharp.winner())]),
         to_string_subset(sets_[size(trained.winner())]), regime + "; of heads"});
    for (Index i = 0; i < static_cast<Index>(sets_.size()); ++i)
      if (i != trained.winner() && std::isfinite(in_.start.log_c_squared[size(i)]))
        add({"I", slope_name(sets_[size(i)], sets_[size(trained.winner())]), "1/flow time",
             sharp.slope(i, trained.winner()), trained.slope(i, trained.winner()), "", "", regime});
    add({"I", fmt::format("time to p = {}", 1.0 - prediction_delta), "flow time",
         sharp.takeover_time(prediction_delta), trained.takeover_time(prediction_delta), "", "",
         regime});
    add({"I", fmt::format("upper bound of the time to p = {}", 1.0 - prediction_delta), "flow time",
         sharp.takeover_bound(prediction_delta), trained.takeover_bound(prediction_delta), "", "",
         regime});
  }

  void concentration() {
    const double a = in_.start.a;
    if (!(a > 0.0)) return;
    const auto sharp = concentrations(*in_.infinite, set_, in_.start.w, a);
    const auto trained = concentrations(*in_.trained, set_, in_.start.w, a);
    const std::string regime =
        "(7.2), exact as a -> 0 with p on S*; sharp: infinite context, trained: the objective "
        "as it is";
    for (std::size_t i = 0; i < sharp.size(); ++i) {
      const Index head = sharp[i].head;
      for (Index j = 0; j < model_.window; ++j)
        if (j != sharp[i].component)
          add({"II", fmt::format("gamma of head {} against lag {}", head + 1, model_.lag(head, j)),
               "1", sharp[i].gamma[size(j)], trained[i].gamma[size(j)], "", "", regime});
      add({"II", fmt::format("lim t(1 - attention) of head {}", head + 1), "flow time",
           sharp[i].constant, trained[i].constant, "", "", regime + "; as t -> infinity"});
    }
    const std::string reduced = regime + "; by the gradient flow of a*G(S*;w) in w alone";
    const auto time = [&](const Objective& objective) {
      ReducedAttention flow(objective, set_, in_.start.w, a);
      return flow.advance_until(prediction_delta, most_reduced_time / a);
    };
    add({"II", fmt::format("time to attention {}", 1.0 - prediction_delta), "flow time",
         time(*in_.infinite), time(*in_.trained), "", "", reduced});
    const Index stage = stage_of(in_.schedule, &Stage::w);
    if (stage < 0) return;
    const auto end = [&](const Objective& objective) {
      ReducedAttention flow(objective, set_, in_.start.w, a);
      return flow.advance(in_.schedule[size(stage)].duration);
    };
    const auto at_end = end(*in_.infinite), trained_at_end = end(*in_.trained);
    for (const Concentration& c : sharp) {
      Parameters q = in_.start, r = in_.start;
      q.w = at_end;
      r.w = trained_at_end;
      add({"II", fmt::format("1 - attention of head {} at the end of the stage", c.head + 1), "1",
           unattended(q, c.head, c.component), unattended(r, c.head, c.component), "", "",
           reduced});
    }
  }

  void growth() {
    if (model_.readout != Readout::log) return;
    const double epsilon = model_.epsilon;
    const ContextLaws laws = context_laws(*in_.kernels, lags_);
    const Parameters q = selected();
    const std::vector<double> sharp_w = sharp_attention();
    const std::string regime =
        "(7.3), exact with p on S* and one-hot attention; sharp: infinite context, trained: the "
        "objective as it is";
    Point at{q.p(), sharp_w, 0.0};
    Gradient gradient;
    in_.trained->gradient(at, gradient, false);
    add({"III", "speed of a at a = 0", "1/flow time", sharpening_rate(laws, 0.0, epsilon),
         -gradient.a, "", "", regime});
    const double fixed =
        in_.alpha ? growth_exponent(*in_.alpha, in_.floor, epsilon) : (epsilon > 0.0 ? 1.0 : 2.0);
    add({"III", "growth exponent", "1", fixed, nan, "", "",
         "speed of a ~ exp(-exponent*a) for large a in infinite context"});
    if (epsilon > 0.0)
      add({"III", "constant of exponent 1", "1/flow time", slow_growth_constant(laws, epsilon), nan,
           "", "", "lim exp(a)*speed of a in infinite context; negative: a stops"});
    else if (fixed == 2.0)
      add({"III", "constant of exponent 2", "1/flow time", fast_growth_constant(laws), nan, "", "",
           "kappa = lim exp(2a)*speed of a in infinite context"});
    const Index stage = stage_of(in_.schedule, &Stage::a);
    double trained_end = nan;
    if (in_.sequences != nullptr) {
      const WindowSample sample(model_, *in_.sequences);
      const Plateau rest = plateau(sample, at.p, sharp_w);
      add({"III", "plateau of a", "1", nan, rest.a, "", "",
           "root of the slope of the loss, as t -> infinity"});
      if (stage >= 0)
        trained_end =
            follow(sample.scores(at.p, sharp_w), sample, in_.schedule[size(stage)].duration);
    }
    if (stage < 0) return;
    const double sharp_end =
        sharpening_at(laws, in_.start.a, in_.schedule[size(stage)].duration, epsilon);
    if (in_.sequences == nullptr) trained_end = sharp_end;
    add({"III", "a at the end of the stage", "1", sharp_end, trained_end, "", "", regime});
  }

  /// a after flow time t under the loss of the window counts: ∫ da/ȧ by the midpoint rule in a.
  double follow(const std::vector<double>& scores, const WindowSample& sample, double t) const {
    double step = 0.02;
    double a = in_.start.a, time = 0.0;
    for (int i = 0; i < 5000; ++i) {
      const double speed = -sample.loss_slope(scores, a + 0.5 * step);
      if (!(speed > 0.0)) {  // the plateau lies within this step
        if ((step *= 0.5) < 1e-6) return a;
        continue;
      }
      if (time + step / speed >= t) return a + speed * (t - time);
      time += step / speed;
      a += step;
    }
    return a;
  }

  void limits() {
    if (in_.sequences == nullptr) return;
    const Baselines lines =
        baselines(*in_.sequences, model_, lags_, in_.kernels->parents, in_.alpha);
    add({"limit", "loss of GIH(S*)", "nats", nan, lines.gih_loss, "", "",
         "the training chains, (8.1); what the model tends to"});
    add({"limit", "entropy floor", "nats", nan, lines.entropy_floor, "", "",
         "the training chains, (8.3); below it is no predictor's mean loss"});
  }

  const PredictionInput& in_;
  Model model_;
  std::vector<std::uint32_t> sets_;
  Ranking ranking_;
  std::vector<Index> lags_;  // S*
  Index set_ = -1;           // head subset that looks at S*
  std::vector<Prediction> lines_;
};

}  // namespace

namespace {

/// Time at which every head of the leading subset keeps no more than prediction_delta of its
/// attention off its lag, by interpolation in log t; NaN if that does not happen.
double concentration_time(const std::vector<Snapshot>& snapshots, const PredictionInput& input,
                          const Model& model) {
  const auto& theta = snapshots.back().parameters.log_c_squared;
  const auto leading = std::max_element(theta.begin(), theta.end()) - theta.begin();
  const auto most_left = [&](const Snapshot& s) {
    double left = 0.0;
    for (const Index head : elements_of(subsets(model.heads, model.degree)[size(leading)])) {
      const auto row = input.start.w.begin() + (head - 1) * model.window;
      const Index component = std::max_element(row, row + model.window) - row;
      left = std::max(left, unattended(s.parameters, head - 1, component));
    }
    return std::log(left / prediction_delta);
  };
  for (std::size_t i = 2; i < snapshots.size(); ++i) {
    const double before = most_left(snapshots[i - 1]), after = most_left(snapshots[i]);
    if (before > 0.0 && after <= 0.0)
      return snapshots[i - 1].t *
             std::pow(snapshots[i].t / snapshots[i - 1].t, before / (before - after));
  }
  return nan;
}

}  // namespace

std::vector<Prediction> predictions(const PredictionInput& input) {
  return Predictor(input).all();
}

double measured(const Prediction& prediction, const PredictionInput& input,
                const Trajectory& trajectory) {
  const Model& model = input.trained->model();
  const auto sets = subsets(model.heads, model.degree);
  const auto snapshots_of = [&](bool Stage::*block) -> const std::vector<Snapshot>* {
    const Index stage = stage_of(input.schedule, block);
    if (stage < 0 || stage >= static_cast<Index>(trajectory.stages.size())) return nullptr;
    const auto& snapshots = trajectory.stages[size(stage)].snapshots;
    return snapshots.size() < 2 ? nullptr : &snapshots;
  };
  const std::string& quantity = prediction.quantity;
  if (quantity == "C_D" && !trajectory.stages.empty())
    return std::exp(trajectory.stages.back().snapshots.back().parameters.log_normalizer());
  if (prediction.phase == "I") {
    const auto* s = snapshots_of(&Stage::c);
    if (s == nullptr) return nan;
    const auto& end = s->back().parameters.log_c_squared;
    const Index winner = std::max_element(end.begin(), end.end()) - end.begin();
    const double time = takeover_of(*s, winner, prediction_delta);
    if (quantity.starts_with("time to p")) return time;
    for (Index i = 0; i < static_cast<Index>(sets.size()); ++i)
      if (quantity == slope_name(sets[size(i)], sets[size(winner)])) {
        const auto last = std::find_if(s->begin() + 1, s->end(),
                                       [&](const Snapshot& x) { return !(x.t < time); });
        const Snapshot& until = last == s->end() ? s->back() : *last;
        return (log_odds(until, i, winner) - log_odds(s->front(), i, winner)) / until.t;
      }
  }
  if (prediction.phase == "II") {
    const auto* s = snapshots_of(&Stage::w);
    if (s == nullptr) return nan;
    if (quantity.starts_with("time to attention")) return concentration_time(*s, input, model);
    for (Index h = 0; h < model.heads; ++h) {
      const auto row = input.start.w.begin() + h * model.window;
      const Index component = std::max_element(row, row + model.window) - row;
      const double left = unattended(s->back().parameters, h, component);
      if (quantity == fmt::format("1 - attention of head {} at the end of the stage", h + 1))
        return left;
      if (quantity == fmt::format("lim t(1 - attention) of head {}", h + 1))
        return s->back().t * left;
    }
  }
  if (prediction.phase == "III") {
    const auto* s = snapshots_of(&Stage::a);
    if (s != nullptr && (quantity == "a at the end of the stage" || quantity == "plateau of a"))
      return s->back().parameters.a;
  }
  if (quantity == "loss of GIH(S*)" && !trajectory.stages.empty())
    return trajectory.stages.back().snapshots.back().loss;
  return nan;
}

}  // namespace gihflow
