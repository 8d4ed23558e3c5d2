#include "gihflow/population/gain.hpp"

namespace gihflow {

namespace {

/// ∂/∂a of the gradient at a = 0 with p = δ_S.
Gradient slope_in_a(const Objective& objective, const PlainBlocks& blocks, Index subset) {
  const auto subsets = static_cast<std::size_t>(objective.model().subsets());
  Point at(std::vector<double>(subsets, 0.0), blocks);
  at.a = 0.0;
  at.p[static_cast<std::size_t>(subset)] = 1.0;
  Point along(std::vector<double>(subsets, 0.0), zeros_like(at));
  along.a = 1.0;
  Gradient value, derivative;
  objective.gradient_along(at, along, value, derivative);
  return derivative;
}

std::vector<double> negative(std::vector<double> x) {
  for (double& y : x) y = -y;
  return x;
}

}  // namespace

std::vector<double> selection_gain(const Objective& objective, const PlainBlocks& at) {
  // B at a = 0 does not depend on p, so any p will do.
  return negative(slope_in_a(objective, at, 0).p);
}

std::vector<double> selection_gain_slope(const Objective& objective, const PlainBlocks& at,
                                         Index subset) {
  return negative(slope_in_a(objective, at, subset).attention);
}

}  // namespace gihflow
