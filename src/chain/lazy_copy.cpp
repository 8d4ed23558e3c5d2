#include "gihflow/chain/lazy_copy.hpp"

#include "base/make_fault.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void LazyCopy::check(const Prior& prior, ErrorList& errors) const {
  if (!(copied >= 0.0 && copied < 1.0)) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "RHO must be at least 0 and below 1, the probability of a copy"));
  }
  if (prior.parents.empty()) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "must have a parent to copy: {} must not be empty", Field::parents));
  }
}

void LazyCopy::draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const {
  const std::size_t d = size(prior.vocabulary);
  const std::size_t older = kernel.size() / d / d;  // contexts at the other parents
  Stream stream = chain.stream(Variate::kernel);
  for (std::size_t context = 0; context < kernel.size() / d; ++context) {
    const std::span<double> row = kernel.subspan(context * d, d);
    dirichlet(stream, prior.alpha, row);
    for (double& entry : row) entry *= 1.0 - copied;
    row[context / older] += copied;
  }
}

double LazyCopy::small_entries(const Prior& prior) const {
  return prior.alpha;
}

}  // namespace gihflow
