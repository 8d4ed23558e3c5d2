#include "gihflow/theory/concentration.hpp"

#include <algorithm>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <limits>

#include "gihflow/base/subsets.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/gain.hpp"

namespace gihflow {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Beside it a logit of 0 has no weight: e^{−1000} is 0.
constexpr double one_hot_logit = 1000.0;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::vector<Index> heads_of(const Model& model, Index set) {
  std::vector<Index> heads = elements_of(subsets(model.heads, model.degree)[size(set)]);
  for (Index& h : heads) --h;
  return heads;
}

}  // namespace

std::vector<Concentration> concentrations(const Objective& objective, Index set,
                                          std::span<const double> w, double a) {
  const Index H = objective.model().heads, M = objective.model().window;
  std::vector<double> sharp(size(H * M), 0.0);
  std::vector<Index> component(size(H));
  for (Index h = 0; h < H; ++h) {
    const auto row = w.subspan(size(h * M), size(M));
    component[size(h)] = std::max_element(row.begin(), row.end()) - row.begin();
    sharp[size(h * M + component[size(h)])] = one_hot_logit;
  }
  const std::vector<double> slope = selection_gain_slope(objective, sharp, set);
  std::vector<Concentration> result;
  for (const Index h : heads_of(objective.model(), set)) {
    Concentration c{h, component[size(h)], std::vector<double>(size(M), 0.0), 0.0};
    for (Index j = 0; j < M; ++j) {
      if (j == c.component) continue;
      const double gamma = slope[size(h * M + c.component)] - slope[size(h * M + j)];
      c.gamma[size(j)] = gamma;
      c.constant += gamma > 0.0 ? 1.0 / gamma : std::numeric_limits<double>::quiet_NaN();
    }
    c.constant /= a * static_cast<double>(M);
    result.push_back(c);
  }
  return result;
}

ReducedAttention::ReducedAttention(const Objective& objective, Index set, std::vector<double> w,
                                   double a)
    : objective_(objective),
      set_(set),
      a_(a),
      heads_(heads_of(objective.model(), set)),
      w_(std::move(w)) {
  std::vector<double> rate;
  slope(w_, rate);
  double fastest = 0.0;
  for (const double x : rate) fastest = std::max(fastest, std::abs(x));
  dt_ = fastest > 0.0 ? 1e-3 / fastest : infinity;
}

void ReducedAttention::slope(const std::vector<double>& w, std::vector<double>& dwdt) const {
  const Index M = objective_.model().window;
  dwdt = selection_gain_slope(objective_, w, set_);
  for (Index h = 0; h < objective_.model().heads; ++h) {
    const std::vector<double> sigma = softmax(std::span(w).subspan(size(h * M), size(M)));
    double mean = 0.0;
    for (Index j = 0; j < M; ++j) mean += sigma[size(j)] * dwdt[size(h * M + j)];
    for (Index j = 0; j < M; ++j) {
      double& x = dwdt[size(h * M + j)];
      x = a_ * sigma[size(j)] * (x - mean);
    }
  }
}

void ReducedAttention::step(double end) {
  using State = std::vector<double>;
  namespace odeint = boost::numeric::odeint;
  auto stepper = odeint::make_controlled(1e-9, 1e-8, odeint::runge_kutta_dopri5<State>());
  const auto system = [this](const State& w, State& dwdt, double) { slope(w, dwdt); };
  if (!(dt_ < infinity)) {  // at rest
    t_ = end;
    return;
  }
  for (;;) {
    const bool last = t_ + dt_ >= end;
    const double planned = dt_;
    double dt = last ? end - t_ : dt_;
    if (!(t_ + dt > t_)) {
      t_ = end;
      return;
    }
    if (stepper.try_step(system, w_, t_, dt) == odeint::success) {
      if (last) t_ = end;
      dt_ = last ? std::max(planned, dt) : dt;
      return;
    }
    dt_ = dt;
  }
}

const std::vector<double>& ReducedAttention::advance(double t) {
  while (t_ < t) step(t);
  return w_;
}

double ReducedAttention::least_attention() const {
  const Index M = objective_.model().window;
  double least = 1.0;
  for (const Index h : heads_) {
    const std::vector<double> sigma = softmax(std::span(w_).subspan(size(h * M), size(M)));
    least = std::min(least, *std::max_element(sigma.begin(), sigma.end()));
  }
  return least;
}

double ReducedAttention::advance_until(double delta, double latest) {
  while (least_attention() < 1.0 - delta) {
    if (t_ >= latest) return infinity;
    const std::vector<double> w = w_;
    const double before = t_, dt = dt_;
    step(latest);
    if (least_attention() < 1.0 - delta) continue;
    double left = before, right = t_;  // bisection inside the step
    while (right - left > 1e-6 * right) {
      const double middle = 0.5 * (left + right);
      w_ = w;
      t_ = before;
      dt_ = dt;
      advance(middle);
      (least_attention() < 1.0 - delta ? left : right) = middle;
    }
    break;
  }
  return t_;
}

}  // namespace gihflow
