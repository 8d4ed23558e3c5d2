#include "flow/coordinates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gihflow/base/subsets.hpp"

namespace gihflow {

Coordinates::Coordinates(const Stage& stage, const Parameters& start)
    : stage_(stage),
      start_(start),
      log_normalizer_(start.log_normalizer()),
      rate_(4.0 * std::exp(-log_normalizer_)) {
  if (stage.blocks.has('c')) {
    const std::vector<std::uint32_t> sets = subsets(start.heads, start.degree);
    for (std::size_t i = 0; i < start.c_sign.size(); ++i) {
      if (!std::isfinite(start.log_c_squared[i])) continue;
      if (stage.blocks.has_set(sets[i]))
        active_.push_back(static_cast<Index>(i));
      else
        all_active_ = false;
    }
  }
  parts_ = moving_parts(stage.blocks, start, start.heads);
  size_ = thetas() + 1;
  for (const MovingPart& part : parts_) size_ += part.size;
}

Eigen::VectorXd Coordinates::initial_state() const {
  Eigen::VectorXd x(size_);
  Index k = 0;
  for (Index i : active_) x[k++] = start_.log_c_squared[static_cast<std::size_t>(i)];
  for (const MovingPart& part : parts_)
    for (const double value : part.in(start_)) x[k++] = value;
  x[k] = 0.0;
  return x;
}

Parameters Coordinates::parameters(const Eigen::VectorXd& x) const {
  Parameters out = start_;
  Index k = 0;
  const double shift = gauge_shift(x);
  for (Index i : active_) out.log_c_squared[static_cast<std::size_t>(i)] = x[k++] - shift;
  for (const MovingPart& part : parts_)
    for (double& value : part.of(out)) value = x[k++];
  return out;
}

std::vector<double> Coordinates::theta(const Eigen::VectorXd& x) const {
  std::vector<double> all = start_.log_c_squared;
  for (std::size_t k = 0; k < active_.size(); ++k)
    all[static_cast<std::size_t>(active_[k])] = x[static_cast<Index>(k)];
  return all;
}

double Coordinates::rate(const Eigen::VectorXd& x) const {
  return all_active_ ? rate_ : 4.0 * std::exp(-logsumexp(theta(x)));
}

double Coordinates::gauge_shift(const Eigen::VectorXd& x) const {
  if (active_.empty() || !all_active_) return 0.0;
  return logsumexp({x.data(), active_.size()}) - log_normalizer_;
}

double Coordinates::gauge_error(const Eigen::VectorXd& x, const Eigen::VectorXd& error) const {
  if (active_.empty() || !all_active_) return 0.0;
  const std::vector<double> p = softmax({x.data(), active_.size()});
  return std::inner_product(p.begin(), p.end(), error.data(), 0.0);
}

Point Coordinates::point(const Eigen::VectorXd& x) const {
  Point at({}, static_cast<const PlainBlocks&>(start_));
  Index k = thetas();
  if (active_.empty()) {
    at.p = start_.p();
  } else if (!all_active_) {
    at.p = softmax(theta(x));
  } else {
    std::vector<double> p = softmax({x.data(), active_.size()});
    at.p.assign(start_.log_c_squared.size(), 0.0);
    for (std::size_t i = 0; i < active_.size(); ++i)
      at.p[static_cast<std::size_t>(active_[i])] = p[i];
  }
  for (const MovingPart& part : parts_)
    for (double& value : part.of(at)) value = x[k++];
  return at;
}

double Coordinates::mean_gain(const Point& at, const Gradient& gradient) const {
  return -std::inner_product(at.p.begin(), at.p.end(), gradient.p.begin(), 0.0);
}

void Coordinates::slope(const Eigen::VectorXd& x, const Point& at, const Gradient& gradient,
                        Eigen::VectorXd& dxdt) const {
  dxdt.resize(size_);
  Index k = 0;
  const double mean = mean_gain(at, gradient), rate = this->rate(x);
  for (Index i : active_) dxdt[k++] = rate * (-gradient.p[static_cast<std::size_t>(i)] - mean);
  for (const MovingPart& part : parts_)
    for (const double g : part.in(gradient)) dxdt[k++] = -g;
  dxdt[k] = dissipation(x, at, gradient);
}

Point Coordinates::tangent(const Point& at, Index k) const {
  Point along(std::vector<double>(at.p.size(), 0.0), zeros_like(at));
  if (k < thetas()) {
    const auto subset = static_cast<std::size_t>(active_[static_cast<std::size_t>(k)]);
    for (std::size_t i = 0; i < at.p.size(); ++i)
      along.p[i] = at.p[subset] * ((i == subset ? 1.0 : 0.0) - at.p[i]);
    return along;
  }
  k -= thetas();
  for (const MovingPart& part : parts_) {
    if (k < part.size) {
      part.of(along)[static_cast<std::size_t>(k)] = 1.0;
      break;
    }
    k -= part.size;
  }
  return along;
}

void Coordinates::jacobian_column(const Eigen::VectorXd& x, Index component, const Point& at,
                                  const Gradient& gradient, const Point& along,
                                  const Gradient& derivative,
                                  Eigen::Ref<Eigen::VectorXd> column) const {
  auto dot = [](const std::vector<double>& u, const std::vector<double>& v) {
    return std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
  };
  const double mean = mean_gain(at, gradient);
  const double mean_along = -dot(along.p, gradient.p) - dot(at.p, derivative.p);
  const double rate = this->rate(x);
  // Derivative of log(4/C_D), which is not 0 if some coefficients are fixed.
  const double growth =
      all_active_ || component >= thetas()
          ? 0.0
          : -at.p[static_cast<std::size_t>(active_[static_cast<std::size_t>(component)])];
  double dissipation_along = 0.0;
  Index k = 0;
  for (Index i : active_) {
    const auto subset = static_cast<std::size_t>(i);
    const double excess = -gradient.p[subset] - mean;
    const double excess_along = -derivative.p[subset] - mean_along + growth * excess;
    column[k++] = rate * excess_along;
    dissipation_along +=
        rate *
        ((along.p[subset] - growth * at.p[subset]) * excess + 2.0 * at.p[subset] * excess_along) *
        excess;
  }
  for (const MovingPart& part : parts_) {
    const std::span<const double> g = part.in(gradient), dg = part.in(derivative);
    for (std::size_t i = 0; i < g.size(); ++i) column[k++] = -dg[i];
    dissipation_along += 2.0 * std::inner_product(g.begin(), g.end(), dg.begin(), 0.0);
  }
  column[k] = dissipation_along;
}

std::vector<std::pair<Index, Index>> Coordinates::softmax_groups(const Model& model) const {
  std::vector<std::pair<Index, Index>> groups;
  Index k = thetas();
  if (k > 0 && all_active_) groups.push_back({0, k});
  for (const MovingPart& part : parts_) {
    // With an own position the softmax also has its fixed logit.
    if (part.array->letter == 'w' && !model.own_position) groups.push_back({k, k + part.size});
    k += part.size;
  }
  return groups;
}

Eigen::VectorXd Coordinates::magnitude(const Eigen::VectorXd& x) const {
  Eigen::VectorXd out = x.cwiseAbs();
  for (Index k = 0; k < thetas(); ++k) out[k] = std::max(1.0, std::abs(x[k] - log_normalizer_));
  Index k = thetas();
  for (const MovingPart& part : parts_) {
    auto numbers = out.segment(k, part.size);
    if (part.array->scale == ErrorScale::one) numbers = numbers.cwiseMax(1.0);
    if (part.array->scale == ErrorScale::largest) numbers.setConstant(numbers.maxCoeff());
    k += part.size;
  }
  return out;
}

double Coordinates::dissipation(const Eigen::VectorXd& x, const Point& at,
                                const Gradient& gradient) const {
  double sum = 0.0;
  const double mean = mean_gain(at, gradient), rate = this->rate(x);
  for (Index i : active_) {
    double excess = -gradient.p[static_cast<std::size_t>(i)] - mean;
    sum += rate * at.p[static_cast<std::size_t>(i)] * excess * excess;
  }
  for (const MovingPart& part : parts_)
    for (const double g : part.in(gradient)) sum += g * g;
  return sum;
}

std::string Coordinates::component(Index i) const {
  if (i < thetas())
    return "θ" +
           to_string_subset(subsets(
               start_.heads,
               start_.degree)[static_cast<std::size_t>(active_[static_cast<std::size_t>(i)])]);
  i -= thetas();
  for (const MovingPart& part : parts_) {
    if (i < part.size) return part.name(i);
    i -= part.size;
  }
  return "the dissipated energy";
}

}  // namespace gihflow
