#include "gihflow/theory/back_off.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gihflow/base/size.hpp"
#include "gihflow/theory/sharpening.hpp"

namespace gihflow {

namespace {

using Vector = Eigen::VectorXd;

/// The entries of these subsets.
Vector chosen(const Vector& all, const std::vector<Index>& sets) {
  Vector some(std::ssize(sets));
  for (Index k = 0; k < some.size(); ++k) some[k] = all[sets[size(k)]];
  return some;
}

/// The loss as a function of b_T = a·p_T, in which the exponent Σ_T b_T Π t_h of a match is linear.
class Weighed {
 public:
  Weighed(const Objective& objective, const Point& at) : objective_(objective), at_(at) {}

  Point at(const Vector& b) const {
    Point point = at_;
    point.a = b.sum();
    for (Index i = 0; i < b.size(); ++i) point.p[size(i)] = b[i] / point.a;
    return point;
  }

  double loss(const Vector& b) const { return objective_.loss(at(b)); }

  Vector gradient(const Vector& b) const {
    const Point point = at(b);
    Gradient gradient;
    objective_.gradient(point, gradient, false);
    return Vector::Map(gradient.p.data(), b.size()) / point.a;
  }

  /// Second derivatives by the variables of these subsets.
  Eigen::MatrixXd hessian(const Vector& b, const std::vector<Index>& sets) const {
    const Point point = at(b);
    Eigen::MatrixXd h(std::ssize(sets), std::ssize(sets));
    for (Index k = 0; k < h.cols(); ++k) {
      Gradient gradient, derivative;
      objective_.gradient_along(point, towards(sets[size(k)], point), gradient, derivative);
      h.col(k) = chosen((Vector::Map(derivative.p.data(), b.size()) -
                         Vector::Map(gradient.p.data(), b.size()) / point.a) /
                            point.a,
                        sets);
    }
    return 0.5 * (h + h.transpose());
  }

 private:
  /// The direction in which the point moves as b of a subset grows.
  static Point towards(Index subset, const Point& point) {
    Point along = point;
    for (const PlainArray& array : plain_arrays)
      array.assign(along, std::vector<double>(array.in(along).size(), 0.0));
    along.a = 1.0;
    for (double& share : along.p) share /= -point.a;
    along.p[size(subset)] += 1.0 / point.a;
    return along;
  }

  const Objective& objective_;
  Point at_;
};

/// A direction in which the loss falls: Newton's, with the Hessian's diagonal raised until it is
/// positive definite.
Vector descent_direction(Eigen::MatrixXd hessian, const Vector& gradient) {
  for (double shift = 1e-3 * hessian.diagonal().cwiseAbs().maxCoeff();; shift *= 4.0) {
    const Eigen::LLT<Eigen::MatrixXd> factors(hessian);
    if (factors.info() == Eigen::Success) return -factors.solve(gradient);
    hessian.diagonal().array() += shift;
  }
}

/// Gains below this count as none: of the order of rounding.
constexpr double no_gain = 1e-12;
/// Up to which Σ b the loss is followed, as that of plateau().
constexpr double most = 500.0;

/// Minimises over the variables of `sets`, from which those that reach 0 are taken out. False if
/// the loss falls on without end.
bool minimise(const Weighed& loss, std::vector<Index>& sets, Vector& b) {
  for (int i = 0; i < 200; ++i) {
    const Vector gradient = chosen(loss.gradient(b), sets);
    if (gradient.cwiseAbs().maxCoeff() < 0.1 * no_gain) return true;
    const Vector direction = descent_direction(loss.hessian(b, sets), gradient);
    double part = 1.0;  // of the step, up to the first variable that reaches 0
    Index first = -1;
    for (Index k = 0; k < direction.size(); ++k) {
      const double here = b[sets[size(k)]];
      if (here + part * direction[k] < 0.0) {
        part = here / -direction[k];
        first = k;
      }
    }
    const double before = loss.loss(b);
    const auto moved = [&](double share) {
      Vector next = b;
      for (Index k = 0; k < direction.size(); ++k) next[sets[size(k)]] += share * direction[k];
      return next;
    };
    // Steps of the order of rounding do not change the loss.
    double share = part;
    while (share > 1e-9 * part && !(loss.loss(moved(share)) <= before + 1e-15)) share *= 0.5;
    b = moved(share);
    if (first >= 0 && share == part) {
      b[sets[size(first)]] = 0.0;
      sets.erase(sets.begin() + first);
    } else if (share * direction.cwiseAbs().maxCoeff() < 1e-10) {
      return true;
    }
    if (b.sum() > most) return false;
  }
  return false;
}

}  // namespace

JointRest joint_rest(const Objective& objective, Index subset, const PlainBlocks& blocks) {
  const auto count = static_cast<Index>(objective.model().subsets());
  const JointRest none{std::numeric_limits<double>::quiet_NaN(), {}};
  Point at(std::vector<double>(size(count), 0.0), blocks);
  at.p[size(subset)] = 1.0;
  const double a = plateau(objective, at).a;
  if (std::isnan(a)) return none;
  const Weighed loss(objective, at);
  Vector b = Vector::Zero(count);
  b[subset] = a;
  std::vector<Index> sets = {subset};
  // Each round lowers the loss, so that no choice of sets comes twice.
  for (Index round = 0; round < 4 * count; ++round) {
    Index best = -1;
    const Vector gains = -loss.gradient(b);
    for (Index i = 0; i < count; ++i)
      if (std::ranges::find(sets, i) == sets.end() && gains[i] > no_gain &&
          (best < 0 || gains[i] > gains[best]))
        best = i;
    if (best < 0) {
      JointRest rest{b.sum(), std::vector<double>(size(count))};
      Vector::Map(rest.p.data(), count) = b / rest.a;
      return rest;
    }
    sets.push_back(best);
    if (!minimise(loss, sets, b)) return none;
  }
  return none;
}

}  // namespace gihflow
