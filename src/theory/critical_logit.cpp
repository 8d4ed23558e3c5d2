#include "gihflow/theory/critical_logit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/size.hpp"
#include "gihflow/population/gain.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

// Attention of a head at this much above its other logits is one-hot for every purpose.
constexpr double one_hot_difference = 16.0;
constexpr double stride = 0.5;  // of the search for the largest logit at which another subset wins

}  // namespace

double critical_own_logit(const Objective& objective, const Parameters& start, Index subset) {
  std::vector<double> w = start.w;
  double least = -std::numeric_limits<double>::infinity();  // equal to the largest other logit
  for (Index h = 0; h < start.heads; ++h)
    for (Index j = 0; j < start.window; ++j)
      if (j != leading_component(start, h)) least = std::max(least, w[size(h * start.window + j)]);
  if (!std::isfinite(least)) return std::numeric_limits<double>::quiet_NaN();
  // Gain of the subset above the best of the others.
  const auto margin = [&](double own) {
    for (Index h = 0; h < start.heads; ++h)
      w[size(h * start.window + leading_component(start, h))] = own;
    std::vector<double> gain = selection_gain(objective, w);
    const double wanted = gain[size(subset)];
    gain.erase(gain.begin() + subset);
    return wanted - *std::max_element(gain.begin(), gain.end());
  };
  double high = least + one_hot_difference;
  if (!(margin(high) > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  for (double low = high - stride; low > least; low -= stride) {
    if (!(margin(low) > 0.0)) return root(margin, low, high);
    high = low;
  }
  return least;
}

}  // namespace gihflow
