#include "gihflow/theory/replicator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
}

Replicator::Replicator(const Parameters& start, std::vector<double> gain)
    : theta_(start.log_c_squared),
      speed_(std::move(gain)),
      scale_(4.0 * std::exp(-start.log_normalizer())) {
  if (speed_.size() != theta_.size())
    throw InputError(fault("gains", "", "{} of them, must be one for each of {} subsets",
                           speed_.size(), theta_.size()));
  double best = -infinity, second = -infinity;
  for (std::size_t i = 0; i < speed_.size(); ++i) {
    if (!std::isfinite(speed_[i]))
      throw InputError(fault("gains", "", "number {} is not finite, must be", i));
    speed_[i] *= start.a;
    if (theta_[i] > -infinity) {
      if (speed_[i] > best) {
        second = best;
        best = speed_[i];
        winner_ = static_cast<Index>(i);
      } else {
        second = std::max(second, speed_[i]);
      }
    }
    speed_[i] *= scale_;
  }
  gap_ = best - second;
}

std::vector<double> Replicator::p(double t) const {
  std::vector<double> theta = theta_;
  for (std::size_t i = 0; i < theta.size(); ++i) theta[i] += speed_[i] * t;
  return softmax(theta);
}

double Replicator::slope(Index set, Index other) const {
  return speed_[size(set)] - speed_[size(other)];
}

double Replicator::takeover_time(double delta) const {
  // f(t) = log Σ_{S ≠ winner} p_S/p_winner falls and is convex, so Newton's method from the left
  // approaches the root of f(t) = log(δ/(1−δ)) from the left.
  const double target = std::log(delta / (1.0 - delta));
  const std::size_t w = size(winner_);
  double t = 0.0;
  for (int i = 0; i < 200; ++i) {
    std::vector<double> odds;
    for (std::size_t j = 0; j < theta_.size(); ++j)
      if (j != w && theta_[j] > -infinity)
        odds.push_back(theta_[j] - theta_[w] + (speed_[j] - speed_[w]) * t);
    if (odds.empty()) return 0.0;
    const double excess = logsumexp(odds) - target;
    if (excess <= 0.0) return t;
    const std::vector<double> share = softmax(odds);
    double fall = 0.0;
    std::size_t k = 0;
    for (std::size_t j = 0; j < theta_.size(); ++j)
      if (j != w && theta_[j] > -infinity) fall += share[k++] * (speed_[w] - speed_[j]);
    if (!(fall > 0.0)) return infinity;
    const double next = t + excess / fall;
    if (!(next > t)) return t;
    t = next;
  }
  return t;
}

double Replicator::takeover_bound(double delta) const {
  const double start = p(0.0)[size(winner_)];
  if (start >= 1.0 - delta) return 0.0;
  if (!(gap_ > 0.0)) return infinity;
  return std::max(0.0, std::log((1.0 - start) / (start * delta)) / (scale_ * gap_));
}

}  // namespace gihflow
