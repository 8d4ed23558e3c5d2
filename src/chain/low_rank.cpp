#include "gihflow/chain/low_rank.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/make_fault.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

void LowRank::check(const Prior& prior, ErrorList& errors) const {
  if (classes < 1 || classes > max_vocabulary) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "K must be between 1 and {}, the number of latent classes", max_vocabulary));
  }
}

void LowRank::draw(const Prior& prior, const ChainKey& chain, std::span<double> kernel) const {
  const std::size_t d = size(prior.vocabulary), K = size(classes);
  Stream stream = chain.stream(Variate::kernel);
  std::vector<double> tokens(K * d), weights(K);  // B [K, d], A(·|z) [K]
  for (std::size_t k = 0; k < K; ++k)
    dirichlet(stream, prior.alpha, std::span(tokens).subspan(k * d, d));
  for (std::size_t begin = 0; begin < kernel.size(); begin += d) {
    dirichlet(stream, prior.alpha, weights);
    const std::span<double> row = kernel.subspan(begin, d);
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t k = 0; k < K; ++k)
      for (std::size_t e = 0; e < d; ++e) row[e] += weights[k] * tokens[k * d + e];
    for (double& entry : row) entry = std::max(entry, std::numeric_limits<double>::min());
  }
}

double LowRank::small_entries(const Prior& prior) const {
  return static_cast<double>(classes) * prior.alpha;
}

}  // namespace gihflow
