#include "gihflow/chain/dirichlet_rows.hpp"

#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void DirichletRows::check(const Prior&, ErrorList&) const {}

void DirichletRows::draw(const Prior& prior, const ChainKey& chain,
                         std::span<double> kernel) const {
  dirichlet_rows(chain.stream(Variate::kernel), prior.alpha, prior.vocabulary, kernel);
}

double DirichletRows::small_entries(const Prior& prior) const {
  return prior.alpha;
}

}  // namespace gihflow
