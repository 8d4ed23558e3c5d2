#include "gihflow/theory/critical_logit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/size.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

// Attention of a head at this much above its other logits is one-hot for every purpose.
constexpr double one_hot_difference = 16.0;
constexpr double stride = 0.5;  // of the search for the largest logit at which another subset wins
constexpr double most_work = 1e8;  // N·d^{2W+1} of selection_at_start
constexpr Index fewest_kernels = 30;

Kernels first_kernels(const Kernels& all, Index count) {
  if (all.count <= count) return all;
  Kernels some = all;
  some.count = count;
  some.values.resize(size(count * all.contexts() * all.vocabulary));
  return some;
}

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

std::optional<SelectionAtStart> selection_at_start(const Kernels& kernels,
                                                   const std::vector<Index>& lags, Index degree,
                                                   const InitialPoint& point, std::size_t wanted) {
  const double d = static_cast<double>(kernels.vocabulary);
  const double work = std::pow(d, 2.0 * static_cast<double>(lags.size()) + 1.0);
  const double affordable = std::min(static_cast<double>(kernels.count), most_work / work);
  if (affordable < static_cast<double>(std::min(fewest_kernels, kernels.count))) return {};
  Model model;
  model.vocabulary = kernels.vocabulary;
  model.head_lags = {lags};
  model.window = model.heads = static_cast<Index>(lags.size());
  model.degree = std::min(degree, model.heads);
  SelectionAtStart found;
  found.chains = static_cast<Index>(affordable);
  const auto objective = make_infinite_objective(model, first_kernels(kernels, found.chains));
  const Parameters start = initial_parameters(model, point);
  const std::vector<double> gain = selection_gain(*objective, start.w);
  found.selected = size(std::max_element(gain.begin(), gain.end()) - gain.begin());
  found.critical_logit = critical_own_logit(*objective, start, static_cast<Index>(wanted));
  return found;
}

}  // namespace gihflow
