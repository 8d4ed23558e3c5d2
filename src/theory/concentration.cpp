#include "gihflow/theory/concentration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "flow/integrate.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/gain.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<Index> heads_at(const Model& model, Index set) {
  return heads_of(subsets(model.heads, model.degree)[size(set)]);
}

}  // namespace

std::vector<Concentration> concentrations(const Objective& objective, Index set,
                                          const PlainBlocks& at) {
  const Index H = objective.model().heads, M = objective.model().window;
  PlainBlocks sharp = at;
  sharp.w.assign(size(H * M), 0.0);
  std::vector<Index> component(size(H));
  for (Index h = 0; h < H; ++h) {
    const auto row = std::span(at.w).subspan(size(h * M), size(M));
    component[size(h)] = std::max_element(row.begin(), row.end()) - row.begin();
    sharp.w[size(h * M + component[size(h)])] = one_hot_logit;
  }
  const std::vector<double> slope = selection_gain_slope(objective, sharp, set);
  std::vector<Concentration> result;
  for (const Index h : heads_at(objective.model(), set)) {
    Concentration c{h, component[size(h)], std::vector<double>(size(M), 0.0), 0.0};
    for (Index j = 0; j < M; ++j) {
      if (j == c.component) continue;
      const double gamma = slope[size(h * M + c.component)] - slope[size(h * M + j)];
      c.gamma[size(j)] = gamma;
      c.constant += gamma > 0.0 ? 1.0 / gamma : std::numeric_limits<double>::quiet_NaN();
    }
    c.constant /= at.a * static_cast<double>(M);
    result.push_back(c);
  }
  return result;
}

class ReducedAttention::Flow final : public Integration {
 public:
  Flow(const Objective& objective, Index set, const PlainBlocks& at)
      : objective_(objective),
        set_(set),
        at_(at),
        heads_(heads_at(objective.model(), set)),
        method_(make_dormand_prince()) {
    try {
      start(0.0, Eigen::Map<const State>(at.w.data(), static_cast<Index>(at.w.size())), infinity);
    } catch (const NonFinite&) {  // the start is not finite: w stays
      dt_ = infinity;
    }
  }

  /// Integrates to t; w stays if no further step is possible.
  void advance(double t) {
    integrate(t);
    t_ = std::max(t_, t);
  }

  double advance_until(double level, double latest) {
    if (least_attention(from_.x) >= level) return t_;
    level_ = level;
    const Outcome outcome = integrate(latest);
    level_ = infinity;
    return outcome == Outcome::interrupted ? t_ : infinity;
  }

 private:
  Method& method() override { return *method_; }
  State scale(const State& x, const State& y) const override {
    return error_scale(x, y, 1e-8, 1e-9);
  }

  void slope(const State& w, State& dwdt) override {
    require_finite(w);
    const Index M = objective_.model().window;
    dwdt.resize(w.size());
    at_.w.assign(w.begin(), w.end());
    const std::vector<double> gain = selection_gain_slope(objective_, at_, set_);
    for (Index h = 0; h < objective_.model().heads; ++h) {
      const auto of_head = Eigen::Map<const State>(gain.data() + h * M, M);
      const std::vector<double> row = softmax({w.data() + h * M, size(M)});
      const auto sigma = Eigen::Map<const State>(row.data(), M);
      const double mean = sigma.dot(of_head);
      dwdt.segment(h * M, M) = at_.a * sigma.array() * (of_head.array() - mean);
    }
    require_finite(dwdt);
  }

  /// The least, over the heads of the set, of a head's largest attention.
  double least_attention(const State& w) const {
    const Index M = objective_.model().window;
    double least = 1.0;
    for (const Index h : heads_) {
      const std::vector<double> sigma = softmax({w.data() + h * M, size(M)});
      least = std::min(least, *std::max_element(sigma.begin(), sigma.end()));
    }
    return least;
  }

  void accepted(double, double dt) override {
    if (least_attention(to_.x) < level_) return;
    State between;
    const auto above = [&](double part) {
      method_->interpolate({}, from_, to_, dt, part, between);
      return least_attention(between) - level_;
    };
    double part = root(above, 0.0, dt);
    if (std::isnan(part)) part = dt;  // up to rounding the crossing is at the end of the step
    above(part);
    crossing_ = t_ + part;
    at_crossing_ = between;
  }
  Outcome after_step(bool is_accepted) override {
    if (!is_accepted || least_attention(from_.x) < level_) return Outcome::running;
    start(crossing_, at_crossing_, infinity);
    return Outcome::interrupted;
  }

  const Objective& objective_;
  Index set_;
  PlainBlocks at_;
  std::vector<Index> heads_;
  std::unique_ptr<Method> method_;
  double level_ = infinity;  ///< attention at which to stop
  double crossing_ = 0.0;    ///< flow time at which it was passed
  State at_crossing_;
};

ReducedAttention::ReducedAttention(const Objective& objective, Index set, const PlainBlocks& start)
    : flow_(std::make_unique<Flow>(objective, set, start)) {}

ReducedAttention::~ReducedAttention() = default;

std::vector<double> ReducedAttention::advance(double t) {
  flow_->advance(t);
  return {flow_->state().begin(), flow_->state().end()};
}

double ReducedAttention::advance_until(double delta, double latest) {
  return flow_->advance_until(1.0 - delta, latest);
}

}  // namespace gihflow
