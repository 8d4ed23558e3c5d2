#include "flow/coordinates.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "gihflow/information/subsets.hpp"

namespace gihflow {

Coordinates::Coordinates(const Stage& stage, const Parameters& start)
    : stage_(stage),
      start_(start),
      log_normalizer_(start.log_normalizer()),
      rate_(4.0 * std::exp(-log_normalizer_)) {
  if (stage.c)
    for (Index i = 0; i < static_cast<Index>(start.c_sign.size()); ++i)
      if (std::isfinite(start.log_c_squared[static_cast<std::size_t>(i)])) active_.push_back(i);
  size_ = thetas() + (stage.w ? static_cast<Index>(start.w.size()) : 0) + (stage.a ? 1 : 0) + 1;
}

Eigen::VectorXd Coordinates::initial_state() const {
  Eigen::VectorXd x(size_);
  Index k = 0;
  for (Index i : active_) x[k++] = start_.log_c_squared[static_cast<std::size_t>(i)];
  if (stage_.w)
    for (double w : start_.w) x[k++] = w;
  if (stage_.a) x[k++] = start_.a;
  x[k] = 0.0;
  return x;
}

Parameters Coordinates::parameters(const Eigen::VectorXd& x) const {
  Parameters out = start_;
  Index k = 0;
  const double shift = gauge_shift(x);
  for (Index i : active_) out.log_c_squared[static_cast<std::size_t>(i)] = x[k++] - shift;
  if (stage_.w)
    for (double& w : out.w) w = x[k++];
  if (stage_.a) out.a = x[k];
  return out;
}

double Coordinates::gauge_shift(const Eigen::VectorXd& x) const {
  if (active_.empty()) return 0.0;
  return logsumexp({x.data(), active_.size()}) - log_normalizer_;
}

Point Coordinates::point(const Eigen::VectorXd& x) const {
  Point at{{}, start_.w, start_.a};
  Index k = thetas();
  if (active_.empty()) {
    at.p = start_.p();
  } else {
    std::vector<double> p = softmax({x.data(), active_.size()});
    at.p.assign(start_.log_c_squared.size(), 0.0);
    for (std::size_t i = 0; i < active_.size(); ++i) at.p[static_cast<std::size_t>(active_[i])] = p[i];
  }
  if (stage_.w)
    for (double& w : at.w) w = x[k++];
  if (stage_.a) at.a = x[k];
  return at;
}

double Coordinates::mean_gain(const Point& at, const Gradient& gradient) const {
  return -std::inner_product(at.p.begin(), at.p.end(), gradient.p.begin(), 0.0);
}

void Coordinates::slope(const Point& at, const Gradient& gradient, Eigen::VectorXd& dxdt) const {
  dxdt.resize(size_);
  Index k = 0;
  const double mean = mean_gain(at, gradient);
  for (Index i : active_) dxdt[k++] = rate_ * (-gradient.p[static_cast<std::size_t>(i)] - mean);
  if (stage_.w)
    for (double g : gradient.w) dxdt[k++] = -g;
  if (stage_.a) dxdt[k++] = -gradient.a;
  dxdt[k] = dissipation(at, gradient);
}

double Coordinates::dissipation(const Point& at, const Gradient& gradient) const {
  double rate = 0.0;
  const double mean = mean_gain(at, gradient);
  for (Index i : active_) {
    double excess = -gradient.p[static_cast<std::size_t>(i)] - mean;
    rate += rate_ * at.p[static_cast<std::size_t>(i)] * excess * excess;
  }
  if (stage_.w)
    for (double g : gradient.w) rate += g * g;
  if (stage_.a) rate += gradient.a * gradient.a;
  return rate;
}

std::string Coordinates::component(Index i) const {
  if (i < thetas())
    return "log c^2 of " + to_string_subset(subsets(start_.heads, start_.degree)[static_cast<std::size_t>(
                               active_[static_cast<std::size_t>(i)])]);
  i -= thetas();
  if (stage_.w) {
    if (i < static_cast<Index>(start_.w.size()))
      return fmt::format("w of head {}, component {}", i / start_.window + 1, i % start_.window + 1);
    i -= static_cast<Index>(start_.w.size());
  }
  return stage_.a && i == 0 ? "a" : "the dissipated energy";
}

}  // namespace gihflow
