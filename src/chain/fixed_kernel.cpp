#include "gihflow/chain/fixed_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void FixedKernel::check(const Prior& prior, ErrorList& errors) const {
  const Index d = prior.vocabulary;
  const Index entries = power(d, static_cast<Index>(prior.parents.size()) + 1, "kernel entries");
  if (static_cast<Index>(probabilities.size()) != entries) {
    errors.add(fault(Field::prior, fmt::format("fixed with {} numbers", probabilities.size()),
                     "must have {}^{} = {} of them, a row of {} for each context",
                     Field::vocabulary, prior.parents.size() + 1, entries, d));
    return;
  }
  for (Index begin = 0; begin < entries; begin += d) {
    const auto row = std::span(probabilities).subspan(size(begin), size(d));
    const bool usable =
        std::all_of(row.begin(), row.end(), [](double p) { return std::isfinite(p) && p >= 0.0; });
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    if (usable && sums_to_one(sum, row)) continue;
    errors.add(fault(Field::prior, fmt::format("fixed, row {}", begin / d),
                     "must be probabilities that sum to 1 within {}, not to {}", sum_tolerance,
                     sum));
    return;
  }
}

void FixedKernel::draw(const Prior&, const ChainKey&, std::span<double> kernel) const {
  std::copy(probabilities.begin(), probabilities.end(), kernel.begin());
}

double FixedKernel::small_entries(const Prior& prior) const {
  return least_probability(prior) > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
}

double FixedKernel::least_probability(const Prior&) const {
  return *std::min_element(probabilities.begin(), probabilities.end());
}

}  // namespace gihflow
