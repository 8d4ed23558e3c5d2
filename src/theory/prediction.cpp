#include "gihflow/theory/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/theory/back_off.hpp"
#include "gihflow/theory/concentration.hpp"
#include "gihflow/theory/critical_logit.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/predictors.hpp"
#include "gihflow/theory/recall_law.hpp"
#include "gihflow/theory/replicator.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "gihflow/theory/stability.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Limit on a·t in the integration of the reduced flow of stage II.
constexpr double most_reduced_time = 1e10;

/// Position of the first stage that trains only this block; −1 if there is none.
Index stage_of(const Schedule& schedule, char block) {
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (trains_only(schedule[i], block)) return static_cast<Index>(i);
  return -1;
}

class Predictor {
 public:
  explicit Predictor(const PredictionInput& input)
      : in_(input),
        model_(input.trained->model()),
        sets_(subsets(model_.heads, model_.degree)),
        limit_(input.kernels ? *input.infinite : *input.trained),
        lags_(input.kernels ? information() : std::vector<Index>{1}) {
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (attended_lags(in_.start, model_, sets_[i]) == lags_ &&
          elements_of(sets_[i]).size() == lags_.size() && set_ < 0)
        set_ = static_cast<Index>(i);
  }

  std::vector<Prediction> all() {
    const std::string name = set_of_lags(lags_);
    if (recall()) {
      add_set(Quantity::information_set, name, "", "the recall task (1.9)");
    } else {
      add_set(Quantity::information_set, name, "", "the prior, (6.3)");
      add(Quantity::information_gap, {}, gap_, nan, "the prior, (6.3)");
    }
    add(Quantity::normalizer, {}, std::exp(in_.start.log_normalizer()),
        std::exp(in_.start.log_normalizer()),
        "conserved by the flow (3.2); gradient descent raises it");
    selection();
    if (set_ >= 0) {
      stability();
      if (!recall()) back_off();
      concentration();
      recall() ? recall_growth() : growth();
    }
    limits();
    return std::move(lines_);
  }

 private:
  bool recall() const { return in_.kernels == nullptr; }
  // Where the sharp predictions hold; recall has no infinite context.
  std::string in_limit() const {
    return recall() ? "at the training length" : "in infinite context";
  }
  std::vector<Index> information() {
    const Ranking ranking = rank_lag_sets(*in_.kernels, model_.used_lags(), model_.degree);
    gap_ = ranking.gap;
    return ranking.information_set().members;
  }

  void add(Quantity quantity, const Subject& subject, double sharp, double trained,
           const std::string& regime) {
    lines_.push_back({quantity, subject, sharp, trained, "", "", regime});
  }
  void add_set(Quantity quantity, const std::string& sharp, const std::string& trained,
               const std::string& regime) {
    lines_.push_back({quantity, {}, nan, nan, sharp, trained, regime});
  }

  /// The start with one-hot attention.
  Parameters one_hot_start() const {
    Parameters q = in_.start;
    q.w.assign(q.w.size(), 0.0);
    for (Index h = 0; h < model_.heads; ++h)
      q.w[size(h * model_.window + leading_component(in_.start, h))] = one_hot_logit;
    return q;
  }

  /// The same with p on S* and a = 0.
  Point selected() const {
    Parameters q = one_hot_start();
    select(q, set_);
    q.a = 0.0;
    return point_of(q);
  }

  void selection() {
    const Replicator sharp(in_.start, selection_gain(limit_, one_hot_start()));
    const Replicator trained(in_.start, selection_gain(*in_.trained, in_.start));
    const std::string regime = "(7.1), exact as a -> 0; sharp: one-hot attention " + in_limit() +
                               ", trained: the attention at the start and the objective as it is";
    const auto winner = [&](const Replicator& r) {
      return r.gap() > 0.0 ? to_string_subset(sets_[size(r.winner())]) : std::string("none");
    };
    add_set(Quantity::takeover_set, winner(sharp), winner(trained),
            regime + "; of heads; none: no set gains on all others");
    for (Index i = 0; i < static_cast<Index>(sets_.size()); ++i)
      if (i != trained.winner() && std::isfinite(in_.start.log_c_squared[size(i)]))
        add(Quantity::log_odds_slope,
            {.set = sets_[size(i)], .other = sets_[size(trained.winner())]},
            sharp.slope(i, trained.winner()), trained.slope(i, trained.winner()), regime);
    add(Quantity::takeover_time, {}, sharp.takeover_time(prediction_delta),
        trained.takeover_time(prediction_delta), regime);
    add(Quantity::takeover_bound, {}, sharp.takeover_bound(prediction_delta),
        trained.takeover_bound(prediction_delta), regime);
    if (set_ < 0) return;
    const double sharp_logit = critical_own_logit(limit_, in_.start, set_);
    const double as_trained = &limit_ == in_.trained || in_.sequences == nullptr
                                  ? sharp_logit
                                  : critical_own_logit(*in_.trained, in_.start, set_);
    add(Quantity::critical_logit, {.set = sets_[size(set_)]}, sharp_logit, as_trained,
        "(7.4), as a -> 0, of the heads that look at S*; sharp: " + in_limit() +
            ", trained: the objective as it is; none: they lose even with one-hot attention");
  }

  /// Whether a stage trains c and a at once.
  bool joint() const {
    return std::ranges::any_of(in_.schedule, [](const Stage& stage) {
      return stage.blocks.has('c') && stage.blocks.has('a');
    });
  }

  void stability() {
    if (!joint()) return;
    const double sharp = largest_curvature(limit_, set_, one_hot_start()).curvature;
    const double trained = largest_curvature(*in_.trained, set_, in_.start).curvature;
    const std::string regime = "(3.7), p on S*; sharp: one-hot attention " + in_limit() +
                               ", trained: the attention at the start and the objective as it is";
    add(Quantity::largest_curvature, {}, sharp, trained, regime);
    add(Quantity::descent_normalizer, {}, 0.5 * catapult_excess * sharp,
        0.5 * catapult_excess * trained,
        regime + "; up to a factor of 1 +- 0.2, where C_D at the start is below it");
  }

  void back_off() {
    if (!joint() || in_.sequences == nullptr) return;
    const JointRest rest = joint_rest(*in_.trained, set_, one_hot_start());
    const std::string regime =
        "(7.6), as t -> infinity with one-hot attention; the objective as it is";
    const bool rests = !std::isnan(rest.a);
    add(Quantity::back_off_share, {.set = sets_[size(set_)]}, nan,
        rests ? 1.0 - rest.p[size(set_)] : nan, regime);
    std::string others = "none";
    if (rests) {
      std::vector<double> p = rest.p;
      p[size(set_)] = 0.0;
      const auto most = std::ranges::max_element(p);
      if (*most > 0.0) others = to_string_subset(sets_[size(most - p.begin())]);
    }
    add_set(Quantity::back_off_set, "", others, regime);
    add(Quantity::back_off_a, {}, nan, rest.a, regime);
  }

  void concentration() {
    const double a = in_.start.a;
    if (!(a > 0.0)) return;
    const auto sharp = concentrations(limit_, set_, in_.start);
    const auto trained = concentrations(*in_.trained, set_, in_.start);
    const std::string regime = "(7.2), exact as a -> 0 with p on S*; sharp: " + in_limit() +
                               ", trained: the objective as it is";
    for (std::size_t i = 0; i < sharp.size(); ++i) {
      const Index head = sharp[i].head;
      for (Index j = 0; j < model_.window; ++j)
        if (j != sharp[i].component)
          add(Quantity::gamma, {.head = head, .lag = model_.lag(head, j)}, sharp[i].gamma[size(j)],
              trained[i].gamma[size(j)], regime);
      add(Quantity::concentration_limit, {.head = head}, sharp[i].constant, trained[i].constant,
          regime + "; as t -> infinity");
    }
    const std::string reduced = regime + "; by the gradient flow of a*G(S*;w) in w alone";
    const auto time = [&](const Objective& objective) {
      ReducedAttention flow(objective, set_, in_.start);
      return flow.advance_until(prediction_delta, most_reduced_time / a);
    };
    add(Quantity::concentration_time, {}, time(limit_), time(*in_.trained), reduced);
    const Index stage = stage_of(in_.schedule, 'w');
    if (stage < 0) return;
    const auto end = [&](const Objective& objective) {
      ReducedAttention flow(objective, set_, in_.start);
      return flow.advance(in_.schedule[size(stage)].duration);
    };
    const auto at_end = end(limit_), trained_at_end = end(*in_.trained);
    for (const Concentration& c : sharp) {
      Parameters q = in_.start, r = in_.start;
      q.w = at_end;
      r.w = trained_at_end;
      add(Quantity::final_unattended, {.head = c.head}, unattended(q, c.head, c.component),
          unattended(r, c.head, c.component), reduced);
    }
  }

  void growth() {
    if (model_.readout != Readout::log) return;
    const double epsilon = model_.epsilon;
    const ContextLaws laws = context_laws(*in_.kernels, lags_);
    const std::string regime =
        "(7.3), exact with p on S* and one-hot attention; sharp: infinite context, trained: the "
        "objective as it is";
    const Point at = selected();
    Gradient gradient;
    in_.trained->gradient(at, gradient, false);
    add(Quantity::growth_speed, {}, sharpening_rate(laws, 0.0, epsilon), -gradient.a, regime);
    const double fixed = growth_exponent(in_.small_entries, epsilon);
    add(Quantity::growth_exponent, {}, fixed, nan,
        "speed of a ~ exp(-exponent*a) for large a in infinite context");
    if (epsilon > 0.0)
      add(Quantity::slow_growth_constant, {}, slow_growth_constant(laws, epsilon), nan,
          "lim exp(a)*speed of a in infinite context; negative: a stops");
    else if (fixed == 2.0)
      add(Quantity::fast_growth_constant, {}, fast_growth_constant(laws), nan,
          "kappa = lim exp(2a)*speed of a in infinite context");
    const Index stage = stage_of(in_.schedule, 'a');
    double trained_end = nan;
    if (in_.sequences != nullptr) {
      // With ε = 0 the expectations in (7.5) exist if that of 1/π does; (7.5) is for a single
      // length.
      const bool exists = epsilon > 0.0 || fixed == 2.0;
      const double law = exists && model_.positions == Positions::last
                             ? long_context_plateau(laws, admitted_positions(), epsilon)
                             : nan;
      add(Quantity::plateau, {}, law, plateau(*in_.trained, at).a,
          "as t -> infinity; sharp: (7.5), contexts that occur often, trained: root of the slope of "
          "the loss");
      if (stage >= 0) trained_end = follow(at, in_.schedule[size(stage)].duration).a;
    }
    if (stage < 0) return;
    const double sharp_end =
        sharpening_at(laws, in_.start.a, in_.schedule[size(stage)].duration, epsilon);
    if (in_.sequences == nullptr) trained_end = sharp_end;
    add(Quantity::final_a, {}, sharp_end, trained_end, regime);
  }

  /// Stage III on recall, (8.5) to (8.8).
  void recall_growth() {
    if (model_.readout != Readout::log) return;
    const double epsilon = model_.epsilon, from = in_.start.a;
    const Index positions = admitted_positions();
    const Index ordinary = model_.vocabulary - 1;
    const std::string regime =
        "exact with p on {1} and one-hot attention; sharp: counts replaced by their mean, trained: "
        "the objective as it is";
    const Point at = selected();
    Gradient gradient;
    in_.trained->gradient(at, gradient, false);
    const double speed = recall_speed(positions, ordinary, epsilon, 0.0);
    add(Quantity::growth_speed, {}, speed, -gradient.a, "(8.6), " + regime);
    add(Quantity::recall_plateau, {}, std::exp(-from) / speed, -std::exp(-from) / gradient.a,
        "(8.7), from the start's a, " + regime);
    const double wanted = recall_threshold(positions, ordinary, 1.0 - prediction_delta);
    if (from < wanted)
      add(Quantity::recall_time, {}, recall_time(positions, ordinary, epsilon, from, wanted),
          follow(at, std::numeric_limits<double>::infinity(), wanted).time,
          fmt::format("(8.8) until the a of (8.5), {:.4g}, {}", wanted, regime));
    add(Quantity::recall_rate, {}, recall_rate(positions, ordinary, epsilon), nan,
        "(8.8), as t -> infinity");
    const Index stage = stage_of(in_.schedule, 'a');
    if (stage < 0) return;
    const double duration = in_.schedule[size(stage)].duration;
    const double sharp_end = recall_scale(positions, ordinary, epsilon, from, duration);
    const double trained_end = follow(at, duration).a;
    add(Quantity::final_a, {}, sharp_end, trained_end, "(8.8), " + regime);
    add(Quantity::recall_length, {}, recall_length(0.5, ordinary, sharp_end),
        recall_length(0.5, ordinary, trained_end),
        "(8.5) at the end of the stage, where the position that matches is admitted, " + regime);
  }

  Index admitted_positions() const {
    return in_.sequences->length() -
           (model_.boundary == Boundary::masked ? model_.widest() : Index{0});
  }

  struct Followed {
    double a, time;
  };
  /// a after flow time t, or the flow time at which it reaches `most` if that comes first, at fixed
  /// p and w: ∫ da/ȧ by the midpoint rule in a.
  Followed follow(Point at, double t, double most = std::numeric_limits<double>::infinity()) const {
    Gradient gradient;
    double step = 0.02;
    double a = in_.start.a, time = 0.0;
    for (int i = 0; i < 5000; ++i) {
      at.a = a + 0.5 * step;
      in_.trained->gradient(at, gradient, false);
      const double speed = -gradient.a;
      if (!(speed > 0.0)) {  // the plateau lies within this step
        if ((step *= 0.5) < 1e-6) return {a, t};
        continue;
      }
      if (a + step >= most && time + (most - a) / speed < t)
        return {most, time + (most - a) / speed};
      if (time + step / speed >= t) return {a + speed * (t - time), t};
      time += step / speed;
      a += step;
    }
    return {a, t};
  }

  void limits() {
    if (in_.sequences == nullptr) return;
    const Baselines lines = baselines(*in_.sequences, model_, lags_);
    add(Quantity::gih_loss, {}, nan, lines.gih_loss,
        "the training chains, (8.1); what the model tends to");
    add(Quantity::entropy_floor, {}, nan, lines.entropy_floor,
        "the training chains, (8.3); below it is no predictor's mean loss");
  }

  const PredictionInput& in_;
  Model model_;
  std::vector<std::uint32_t> sets_;
  const Objective& limit_;
  double gap_ = nan;
  std::vector<Index> lags_;  // S*
  Index set_ = -1;           // head subset that attends to S*
  std::vector<Prediction> lines_;
};

}  // namespace

std::vector<Prediction> predictions(const PredictionInput& input) {
  return Predictor(input).all();
}

}  // namespace gihflow
