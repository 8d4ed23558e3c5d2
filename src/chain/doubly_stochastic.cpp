#include "gihflow/chain/doubly_stochastic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/make_fault.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

namespace {

constexpr double least_alpha = 0.01;
constexpr int most_steps = 2000;
// Lower bound of divisors.
constexpr double least_degree = 1e-290;

// The matrix P with row sums 1 that column factors e^y make of exp(log_a), and its column sums less
// 1.
class Balance {
 public:
  Balance(std::span<const double> log_a, std::size_t d, std::span<double> p)
      : log_a_(log_a), d_(d), p_(p), y_(d, 0.0), excess_(d), weights_(d * d), move_(d) {
    for (const double x : log_a_) largest_ = std::max(largest_, std::abs(x));
  }

  void run() {
    double radius = 1.0;
    apply(y_);
    for (int step = 0; step < most_steps && !measure(); ++step) {
      find_move();
      double length = 0.0;
      for (const double x : move_) length = std::max(length, std::abs(x));
      if (!std::isfinite(length)) break;  // entries outside the range of doubles: leave P as it is
      const double share = std::min(1.0, radius / length);
      const double slope = slope_along_move();
      std::vector<double> next = y_;
      for (std::size_t j = 0; j < d_; ++j) next[j] += share * move_[j];
      apply(next);
      measure();
      // A step is too long if the slope along it has changed sign and is large: the function is
      // convex, and where the slope keeps its sign it has not risen. Values are not compared, since
      // they differ by less than rounding.
      if (slope_along_move() > 0.5 * std::abs(slope)) {
        radius = 0.25 * share * length;
        apply(y_);
        continue;
      }
      if (share < 1.0) radius *= 2.0;
      y_ = std::move(next);
    }
  }

 private:
  // Sets P for the column factors e^y.
  void apply(const std::vector<double>& y) {
    for (std::size_t i = 0; i < d_; ++i) {
      double* const row = p_.data() + i * d_;
      double top = -std::numeric_limits<double>::infinity(), sum = 0.0;
      for (std::size_t j = 0; j < d_; ++j) {
        row[j] = log_a_[i * d_ + j] + y[j];
        top = std::max(top, row[j]);
      }
      for (std::size_t j = 0; j < d_; ++j) sum += row[j] = std::exp(row[j] - top);
      for (std::size_t j = 0; j < d_; ++j)
        row[j] = std::max(row[j] / sum, std::numeric_limits<double>::min());
    }
  }

  double slope_along_move() const {
    double slope = 0.0;
    for (std::size_t j = 0; j < d_; ++j) slope += excess_[j] * move_[j];
    return slope;
  }

  // Computes the column sums less 1; if an entry is above ½, from the other entries of its column
  // and row, without cancellation. Returns whether all vanish up to rounding.
  bool measure() {
    bool balanced = true;
    const double rounding =
        std::numeric_limits<double>::epsilon() * (static_cast<double>(d_) + largest_);
    for (std::size_t j = 0; j < d_; ++j) {
      std::size_t top = 0;
      for (std::size_t i = 1; i < d_; ++i)
        if (p_[i * d_ + j] > p_[top * d_ + j]) top = i;
      const bool dominant = p_[top * d_ + j] > 0.5;
      double in = 0.0, out = dominant ? 0.0 : 1.0;
      for (std::size_t i = 0; i < d_; ++i)
        if (!dominant || i != top) in += p_[i * d_ + j];
      for (std::size_t k = 0; dominant && k < d_; ++k)
        if (k != j) out += p_[top * d_ + k];
      excess_[j] = in - out;
      balanced = balanced && std::abs(excess_[j]) <= rounding * (in + out);
    }
    return balanced;
  }

  // Solves L·move = −excess, up to a constant, for the Laplacian L with weights PᵀP, by eliminating
  // one node after the other without subtractions. Nodes with the smallest weights go first, so
  // that their excess is not lost in the rounding of larger ones.
  void find_move() {
    std::fill(weights_.begin(), weights_.end(), 0.0);
    for (std::size_t i = 0; i < d_; ++i) {
      const double* const row = p_.data() + i * d_;
      for (std::size_t j = 0; j < d_; ++j)
        for (std::size_t k = 0; k < d_; ++k) weights_[j * d_ + k] += row[j] * row[k];
    }
    std::vector<double> source(d_), degree(d_);
    for (std::size_t j = 0; j < d_; ++j) source[j] = -excess_[j];
    std::vector<std::size_t> rest(d_);
    std::iota(rest.begin(), rest.end(), std::size_t{0});
    for (std::size_t left = d_; left > 1; --left) {
      std::size_t least = 0;
      for (std::size_t r = 0; r < left; ++r) {
        degree[rest[r]] = 0.0;
        for (std::size_t s = 0; s < left; ++s)
          if (s != r) degree[rest[r]] += weights_[rest[r] * d_ + rest[s]];
        if (degree[rest[r]] < degree[rest[least]]) least = r;
      }
      std::swap(rest[least], rest[left - 1]);
      const std::size_t n = rest[left - 1];
      degree[n] = std::max(degree[n], least_degree);
      for (std::size_t r = 0; r + 1 < left; ++r) {
        const double share = weights_[rest[r] * d_ + n] / degree[n];
        source[rest[r]] += share * source[n];
        for (std::size_t s = 0; s + 1 < left; ++s)
          weights_[rest[r] * d_ + rest[s]] += share * weights_[n * d_ + rest[s]];
      }
    }
    move_[rest[0]] = 0.0;
    for (std::size_t r = 1; r < d_; ++r) {
      double sum = source[rest[r]];
      for (std::size_t s = 0; s < r; ++s) sum += weights_[rest[r] * d_ + rest[s]] * move_[rest[s]];
      move_[rest[r]] = sum / degree[rest[r]];
    }
  }

  std::span<const double> log_a_;
  std::size_t d_;
  std::span<double> p_;
  std::vector<double> y_, excess_, weights_, move_;
  double largest_ = 0.0;  // largest |logarithm|, which bounds the rounding errors of entries
};

}  // namespace

void balance(std::span<const double> log_a, Index d, std::span<double> scaled) {
  Balance(log_a, size(d), scaled).run();
}

void DoublyStochastic::check(const Prior& prior, ErrorList& errors) const {
  if (prior.parents.size() != 1) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents),
                     "must be one lag with {} doubly-stochastic", Field::prior));
  }
  if (prior.alpha < least_alpha) {
    errors.add(fault(Field::alpha, prior.alpha,
                     "must be at least {} with {} doubly-stochastic: entries would leave the range "
                     "of doubles",
                     least_alpha, Field::prior));
  }
}

void DoublyStochastic::draw(const Prior& prior, const ChainKey& chain,
                            std::span<double> kernel) const {
  Stream stream = chain.stream(Variate::kernel);
  std::vector<double> log_a(kernel.size());
  log_gamma_variates(stream, prior.alpha, log_a);
  balance(log_a, prior.vocabulary, kernel);
}

double DoublyStochastic::small_entries(const Prior& prior) const {
  return prior.vocabulary == 2 ? 2.0 * prior.alpha : prior.alpha;
}

}  // namespace gihflow
