#include "gihflow/chain/dirichlet_rows.hpp"

#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void DirichletRows::check(const Prior&, ErrorList&) const {}

void DirichletRows::draw(const Prior& prior, const ChainKey& chain,
                         std::span<double> kernel) const {
  const std::size_t d = size(prior.vocabulary);
  Stream stream = chain.stream(Variate::kernel);
  for (std::size_t begin = 0; begin < kernel.size(); begin += d) {
    dirichlet(stream, prior.alpha, kernel.subspan(begin, d));
  }
}

double DirichletRows::small_entries(const Prior& prior) const {
  return prior.alpha;
}

}  // namespace gihflow
