#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow::testing {

inline SamplingOptions sampling(Index count, Index length = 100) {
  SamplingOptions options;
  options.count = count;
  options.length = length;
  options.purpose = Purpose::test;
  return options;
}

/// Sequences of the recall task.
inline SamplingOptions recall_sampling(Index vocabulary, Index count, Index length) {
  SamplingOptions options = sampling(count, length);
  options.task = Task::recall;
  options.prior.vocabulary = vocabulary;
  return options;
}

/// A point with nothing special about it: every coefficient, logit and sign differs.
inline Parameters generic_point(const Model& model, double a = 1.7) {
  Parameters point;
  point.window = model.window;
  point.heads = model.heads;
  point.degree = model.degree;
  std::vector<double> c;
  for (Index i = 0; i < model.subsets(); ++i)
    c.push_back((i % 3 == 1 ? -0.3 : 0.4) + 0.2 * std::cos(1.0 + static_cast<double>(i)));
  point.set_c(c);
  static_cast<PlainBlocks&>(point) = zero_blocks(model);
  for (const PlainArray& array : plain_arrays) {
    double k = 0.0;
    for (double& x : array.of(point)) x = 1.5 * std::sin(2.0 + 3.0 * k++);
    // Some scores are large, some small; gains stay away from 0.
    if (array.letter == 'n')
      for (double& x : array.of(point)) x = 0.4 * x + (array.name[0] == 'g' ? 1.2 : 0.1);
  }
  // Values tell tokens apart, those of two tokens after layer norm too.
  const auto d = static_cast<std::size_t>(model.vocabulary);
  for (std::size_t k = 0; k < point.value.size(); ++k)
    point.value[k] = 0.3 * point.value[k] + (k % d == k / d % d ? 1.0 : 0.0);
  for (Index h = 0; h < model.heads; ++h)
    for (Index i = 0; i < model.window; ++i)
      if (model.lag(h, i) == 0) point.w[static_cast<std::size_t>(h * model.window + i)] = -HUGE_VAL;
  point.a = a;
  return point;
}

/// A direction with nothing special about it.
inline Point direction_of(const Point& at) {
  Point along = at;
  for (std::size_t i = 0; i < along.p.size(); ++i)
    along.p[i] = std::sin(1.0 + static_cast<double>(i));
  for (const PlainArray& array : plain_arrays) {
    double k = 0.0;
    for (double& x : array.of(along)) x = std::isinf(x) ? 0.0 * k++ : std::cos(2.0 * k++);
  }
  along.a = 0.7;
  return along;
}

/// All numbers of a gradient behind one another, the loss first.
inline std::vector<double> flat(const Gradient& g) {
  std::vector<double> all{g.loss};
  all.insert(all.end(), g.p.begin(), g.p.end());
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(g);
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  return all;
}

/// max|x − y| / max|y|.
inline double relative_difference(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size()) return HUGE_VAL;
  double difference = 0.0, size = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) return HUGE_VAL;
    difference = std::max(difference, std::abs(x[i] - y[i]));
    size = std::max(size, std::abs(y[i]));
  }
  return size > 0.0 ? difference / size : difference;
}

/// Forwards to another objective; tests override what they disturb.
class Wrapped : public Objective {
 public:
  explicit Wrapped(const Objective& inner) : inner_(inner) {}
  const Model& model() const override { return inner_.model(); }
  Index chains() const override { return inner_.chains(); }
  std::string engine() const override { return inner_.engine(); }
  std::size_t memory() const override { return inner_.memory(); }
  void gradient(const Point& at, Gradient& out, bool with_loss) const override {
    inner_.gradient(at, out, with_loss);
  }
  double loss(const Point& at) const override { return inner_.loss(at); }
  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    inner_.gradient_along(at, along, out, derivative);
  }
  StandardErrors standard_errors(const Parameters& at) const override {
    return inner_.standard_errors(at);
  }

 protected:
  const Objective& inner_;
};

}  // namespace gihflow::testing
