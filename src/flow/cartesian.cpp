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
    : stage_(stage),
      start_(start),
      start_p_(start.p()),
      start_c_(start.c()),
      coefficients_(stage.c ? static_cast<Index>(start_c_.size()) : 0),
      logits_(stage.w ? static_cast<Index>(start.w.size()) : 0),
      size_(coefficients_ + logits_ + (stage.a ? 1 : 0)) {}

Eigen::VectorXd Cartesian::initial_point() const {
  Eigen::VectorXd x(size_);
  std::copy_n(start_c_.begin(), coefficients_, x.begin());
  std::copy_n(start_.w.begin(), logits_, x.begin() + coefficients_);
  if (stage_.a) x[size_ - 1] = start_.a;
  return x;
}

double Cartesian::normalizer(const Eigen::VectorXd& x) const {
  double sum = 0.0;
  if (stage_.c)
    for (Index i = 0; i < coefficients_; ++i) sum += x[i] * x[i];
  else
    for (double c : start_c_) sum += c * c;
  return sum;
}

Parameters Cartesian::parameters(const Eigen::VectorXd& x) const {
  Parameters out = start_;
  if (stage_.c) out.set_c({x.data(), static_cast<std::size_t>(coefficients_)});
  std::copy_n(x.begin() + coefficients_, logits_, out.w.begin());
  if (stage_.a) out.a = x[size_ - 1];
  return out;
}

void Cartesian::point(const Eigen::VectorXd& x, Point& out) const {
  out.p = start_p_;
  if (stage_.c) {
    const double normalizer_x = normalizer(x);
    for (Index i = 0; i < coefficients_; ++i)
      out.p[static_cast<std::size_t>(i)] = x[i] * x[i] / normalizer_x;
  }
  out.w = start_.w;
  std::copy_n(x.begin() + coefficients_, logits_, out.w.begin());
  out.a = stage_.a ? x[size_ - 1] : start_.a;
}

void Cartesian::gradient(const Eigen::VectorXd& x, const Point& at, const Gradient& g,
                         Eigen::VectorXd& out) const {
  out.resize(size_);
  if (stage_.c) {
    const double mean = dot(at.p, g.p), scale = 2.0 / normalizer(x);
    for (Index i = 0; i < coefficients_; ++i)
      out[i] = scale * x[i] * (g.p[static_cast<std::size_t>(i)] - mean);
  }
  std::copy_n(g.w.begin(), logits_, out.begin() + coefficients_);
  if (stage_.a) out[size_ - 1] = g.a;
}

void Cartesian::direction(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                          Point& out) const {
  out.p.assign(at.p.size(), 0.0);
  out.w.assign(at.w.size(), 0.0);
  if (stage_.c) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(coefficients_).dot(u.head(coefficients_));  // Ċ_D/C_D
    for (Index i = 0; i < coefficients_; ++i) {
      const auto s = static_cast<std::size_t>(i);
      out.p[s] = scale * x[i] * u[i] - at.p[s] * stretch;
    }
  }
  std::copy_n(u.begin() + coefficients_, logits_, out.w.begin());
  out.a = stage_.a ? u[size_ - 1] : 0.0;
}

void Cartesian::hessian_product(const Eigen::VectorXd& x, const Point& at, const Eigen::VectorXd& u,
                                const Point& along, const Gradient& g, const Gradient& dg,
                                Eigen::VectorXd& out) const {
  out.resize(size_);
  if (stage_.c) {
    const double scale = 2.0 / normalizer(x);
    const double stretch = scale * x.head(coefficients_).dot(u.head(coefficients_));
    const double mean = dot(at.p, g.p);
    const double mean_along = dot(along.p, g.p) + dot(at.p, dg.p);
    for (Index i = 0; i < coefficients_; ++i) {
      const auto s = static_cast<std::size_t>(i);
      out[i] = scale * ((u[i] - x[i] * stretch) * (g.p[s] - mean) + x[i] * (dg.p[s] - mean_along));
    }
  }
  std::copy_n(dg.w.begin(), logits_, out.begin() + coefficients_);
  if (stage_.a) out[size_ - 1] = dg.a;
}

}  // namespace gihflow
