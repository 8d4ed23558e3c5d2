#include "flow/cartesian.hpp"

#include <algorithm>
#include <numeric>

#include "gihflow/base/subsets.hpp"

namespace gihflow {

namespace {

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

}  // namespace

Cartesian::Cartesian(const Stage& stage, const Parameters& start)
    : start_(start),
      start_p_(start.p()),
      start_c_(start.c()),
      parts_(moving_parts(stage.blocks, start, start.heads)) {
  const std::vector<std::uint32_t> sets = subsets(start.heads, start.degree);
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (stage.blocks.has_set(sets[i]))
      moving_.push_back(i);
    else
      fixed_ += start_c_[i] * start_c_[i];
  size_ = coefficients();
  for (const MovingPart& part : parts_) size_ += part.size;
}

void Cartesian::gather(const PlainBlocks& from, Eigen::VectorXd& out) const {
  auto next = out.begin() + coefficients();
  for (const MovingPart& part : parts_) {
    const std::span<const double> numbers = part.in(from);
    next = std::copy(numbers.begin(), numbers.end(), next);
  }
}

void Cartesian::scatter(const Eigen::VectorXd& x, PlainBlocks& to) const {
  auto next = x.begin() + coefficients();
  for (const MovingPart& part : parts_) {
    std::copy_n(next, part.size, part.of(to).begin());
    next += part.size;
  }
}

Eigen::VectorXd Cartesian::initial_point() const {
  Eigen::VectorXd x(size_);
  for (Index i = 0; i < coefficients(); ++i) x[i] = start_c_[set_of(i)];
  gather(start_, x);
  return x;
}

double Cartesian::normalizer(const Eigen::VectorXd& x) const {
  double sum = fixed_;
  for (Index i = 0; i < coefficients(); ++i) sum += x[i] * x[i];
  return sum;
}

Parameters Cartesian::parameters(const Eigen::VectorXd& x) const {
  Parameters out = start_;
  if (coefficients() > 0) {
    Parameters moved;
    moved.set_c({x.data(), moving_.size()});
    for (std::size_t i = 0; i < moving_.size(); ++i) {
      out.log_c_squared[moving_[i]] = moved.log_c_squared[i];
      out.c_sign[moving_[i]] = moved.c_sign[i];
    }
  }
  scatter(x, out);
  return out;
}

void Cartesian::point(const Eigen::VectorXd& x, Point& out) const {
  out.p = start_p_;
  if (coefficients() > 0) {
    const double normalizer_x = normalizer(x);
    for (std::size_t i = 0; i < out.p.size(); ++i)
      out.p[i] = start_c_[i] * start_c_[i] / normalizer_x;
    for (Index i = 0; i < coefficients(); ++i) out.p[set_of(i)] = x[i] * x[i] / normalizer_x;
  }
  static_cast<PlainBlocks&>(out) = start_;
  scatter(x, out);
}

void Cartesian::gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                         Eigen::VectorXd& out) const {
  out.resize(size_);
  if (coefficients() > 0) {
    const double mean = dot(at.p, g.p), scale = 2.0 / normalizer(x);
    for (Index i = 0; i < coefficients(); ++i) out[i] = scale * x[i] * (g.p[set_of(i)] - mean);
  }
  gather(g, out);
}

void Cartesian::direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                          Point& out) const {
  out.p.assign(at.p.size(), 0.0);
  static_cast<PlainBlocks&>(out) = zeros_like(at);
  if (const Index n = coefficients(); n > 0) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(n).dot(u.head(n));  // Ċ_D/C_D
    for (std::size_t s = 0; s < at.p.size(); ++s) out.p[s] = -at.p[s] * stretch;
    for (Index i = 0; i < n; ++i)
      out.p[set_of(i)] = scale * x[i] * u[i] - at.p[set_of(i)] * stretch;
  }
  scatter(u, out);
}

void Cartesian::hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                                const Point& along, const Gradient& g, const Gradient& dg,
                                Eigen::VectorXd& out) const {
  out.resize(size_);
  if (const Index n = coefficients(); n > 0) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(n).dot(u.head(n));
    const double mean = dot(at.p, g.p);
    const double mean_along = dot(along.p, g.p) + dot(at.p, dg.p);
    for (Index i = 0; i < n; ++i) {
      const std::size_t s = set_of(i);
      out[i] = scale * ((u[i] - x[i] * stretch) * (g.p[s] - mean) + x[i] * (dg.p[s] - mean_along));
    }
  }
  gather(dg, out);
}

}  // namespace gihflow
