#include "gihflow/chain/given_kernels.hpp"

#include <algorithm>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void GivenKernels::check(const Prior& prior, ErrorList& errors) const {
  if (kernels == nullptr || kernels->vocabulary != prior.vocabulary ||
      kernels->parents != prior.parents || prior.floor != 0.0) {
    errors.add(fault("given kernels", "",
                     "must have the vocabulary and the parents of their prior, without a floor"));
  }
}

void GivenKernels::draw(const Prior&, const ChainKey& chain, std::span<double> kernel) const {
  const std::span<const double> own =
      std::as_const(*kernels).of_chain(chain.number % kernels->count);
  std::copy(own.begin(), own.end(), kernel.begin());
}

double GivenKernels::small_entries(const Prior& prior) const {
  return least_probability(prior) > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
}

double GivenKernels::least_probability(const Prior&) const {
  return *std::min_element(kernels->values.begin(), kernels->values.end());
}

}  // namespace gihflow
