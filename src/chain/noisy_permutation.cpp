#include "gihflow/chain/noisy_permutation.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "base/make_fault.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void NoisyPermutation::check(const Prior& prior, ErrorList& errors) const {
  if (!(noise >= 0.0 && noise <= 1.0)) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "ETA must be from 0 to 1, the probability of a uniform token"));
  }
  if (prior.parents.empty()) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "must have a parent to permute: {} must not be empty", Field::parents));
  }
}

void NoisyPermutation::draw(const Prior& prior, const ChainKey& chain,
                            std::span<double> kernel) const {
  const std::size_t d = size(prior.vocabulary);
  const std::size_t older = kernel.size() / d / d;  // contexts at the other parents
  Stream stream = chain.stream(Variate::kernel);
  std::fill(kernel.begin(), kernel.end(), noise / static_cast<double>(d));
  std::vector<std::size_t> image(d);
  for (std::size_t context = 0; context < older; ++context) {
    std::iota(image.begin(), image.end(), std::size_t{0});
    for (std::size_t i = d; i > 1; --i)  // Fisher–Yates
      std::swap(image[i - 1],
                image[static_cast<std::size_t>(stream.uniform() * static_cast<double>(i))]);
    for (std::size_t token = 0; token < d; ++token)
      kernel[(token * older + context) * d + image[token]] += 1.0 - noise;
  }
}

double NoisyPermutation::small_entries(const Prior&) const {
  return noise > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
}

double NoisyPermutation::least_probability(const Prior& prior) const {
  return noise / static_cast<double>(prior.vocabulary);
}

}  // namespace gihflow
