#include "flow/cartesian.hpp"

#include <algorithm>
#include <numeric>

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
      coefficients_(stage.blocks.has('c') ? static_cast<Index>(start_c_.size()) : 0),
      parts_(moving_parts(stage.blocks, start, start.heads)),
      size_(coefficients_) {
  for (const MovingPart& part : parts_) size_ += part.size;
}

void Cartesian::gather(const PlainBlocks& from, Eigen::VectorXd& out) const {
  auto next = out.begin() + coefficients_;
  for (const MovingPart& part : parts_) {
    const std::span<const double> numbers = part.in(from);
    next = std::copy(numbers.begin(), numbers.end(), next);
  }
}

void Cartesian::scatter(const Eigen::VectorXd& x, PlainBlocks& to) const {
  auto next = x.begin() + coefficients_;
  for (const MovingPart& part : parts_) {
    std::copy_n(next, part.size, part.of(to).begin());
    next += part.size;
  }
}

Eigen::VectorXd Cartesian::initial_point() const {
  Eigen::VectorXd x(size_);
  std::copy_n(start_c_.begin(), coefficients_, x.begin());
  gather(start_, x);
  return x;
}

double Cartesian::normalizer(const Eigen::VectorXd& x) const {
  double sum = 0.0;
  if (coefficients_ > 0)
    for (Index i = 0; i < coefficients_; ++i) sum += x[i] * x[i];
  else
    for (double c : start_c_) sum += c * c;
  return sum;
}

Parameters Cartesian::parameters(const Eigen::VectorXd& x) const {
  Parameters out = start_;
  if (coefficients_ > 0) out.set_c({x.data(), static_cast<std::size_t>(coefficients_)});
  scatter(x, out);
  return out;
}

void Cartesian::point(const Eigen::VectorXd& x, Point& out) const {
  out.p = start_p_;
  if (coefficients_ > 0) {
    const double normalizer_x = normalizer(x);
    for (Index i = 0; i < coefficients_; ++i)
      out.p[static_cast<std::size_t>(i)] = x[i] * x[i] / normalizer_x;
  }
  static_cast<PlainBlocks&>(out) = start_;
  scatter(x, out);
}

void Cartesian::gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                         Eigen::VectorXd& out) const {
  out.resize(size_);
  if (coefficients_ > 0) {
    const double mean = dot(at.p, g.p), scale = 2.0 / normalizer(x);
    for (Index i = 0; i < coefficients_; ++i)
      out[i] = scale * x[i] * (g.p[static_cast<std::size_t>(i)] - mean);
  }
  gather(g, out);
}

void Cartesian::direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                          Point& out) const {
  out.p.assign(at.p.size(), 0.0);
  static_cast<PlainBlocks&>(out) = zeros_like(at);
  if (coefficients_ > 0) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(coefficients_).dot(u.head(coefficients_));  // Ċ_D/C_D
    for (Index i = 0; i < coefficients_; ++i) {
      const auto s = static_cast<std::size_t>(i);
      out.p[s] = scale * x[i] * u[i] - at.p[s] * stretch;
    }
  }
  scatter(u, out);
}

void Cartesian::hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                                const Point& along, const Gradient& g, const Gradient& dg,
                                Eigen::VectorXd& out) const {
  out.resize(size_);
  if (coefficients_ > 0) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(coefficients_).dot(u.head(coefficients_));
    const double mean = dot(at.p, g.p);
    const double mean_along = dot(along.p, g.p) + dot(at.p, dg.p);
    for (Index i = 0; i < coefficients_; ++i) {
      const auto s = static_cast<std::size_t>(i);
      out[i] = scale * ((u[i] - x[i] * stretch) * (g.p[s] - mean) + x[i] * (dg.p[s] - mean_along));
    }
  }
  gather(dg, out);
}

}  // namespace gihflow
