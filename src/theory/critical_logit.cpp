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

// A logit this far above the others counts as one-hot attention.
constexpr double one_hot_difference = 16.0;
// Step of the search for the largest logit at which another subset wins
constexpr double stride = 0.5;
constexpr double most_work = 1e8;  // N·d^{2W+1} of selection_at_start
constexpr Index fewest_kernels = 30;

}  // namespace

double critical_own_logit(const Objective& objective, const Parameters& start, Index subset) {
  PlainBlocks at = start;
  double least = -std::numeric_limits<double>::infinity();  // the largest other logit
  for (Index h = 0; h < start.heads; ++h)
    for (Index j = 0; j < start.window; ++j)
      if (j != leading_component(start, h))
        least = std::max(least, at.w[size(h * start.window + j)]);
  if (!std::isfinite(least)) return std::numeric_limits<double>::quiet_NaN();
  // Gain of the subset minus the largest gain of the others.
  const auto margin = [&](double own) {
    for (Index h = 0; h < start.heads; ++h)
      at.w[size(h * start.window + leading_component(start, h))] = own;
    std::vector<double> gain = selection_gain(objective, at);
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

SelectionAtStart selection_at_start(const Kernels& kernels, const std::vector<Index>& lags,
                                    Index degree, const InitialPoint& point, std::size_t wanted) {
  Model model;
  model.vocabulary = kernels.vocabulary;
  model.head_lags = {lags};
  model.window = model.heads = static_cast<Index>(lags.size());
  model.degree = std::min(degree, model.heads);
  const auto objective = make_infinite_objective(model, kernels);
  const Parameters start = initial_parameters(model, point);
  const std::vector<double> gain = selection_gain(*objective, start);
  const auto selected = std::max_element(gain.begin(), gain.end()) - gain.begin();
  return {kernels.count, size(selected),
          critical_own_logit(*objective, start, static_cast<Index>(wanted))};
}

Index kernels_for_selection(Index vocabulary, Index lags, Index count) {
  const double of_one =
      std::pow(static_cast<double>(vocabulary), 2.0 * static_cast<double>(lags) + 1.0);
  const double affordable = std::min(static_cast<double>(count), most_work / of_one);
  const Index fewest = std::min(fewest_kernels, count);
  return affordable < static_cast<double>(fewest) ? 0 : static_cast<Index>(affordable);
}

}  // namespace gihflow
