#include "gihflow/chain/kernel_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/prior.hpp"

namespace gihflow {

namespace {

// The prior of the components: independent Dirichlet rows.
Prior of_components(const Prior& prior) {
  Prior components = prior;
  components.family = DirichletRows();
  return components;
}

}  // namespace

void KernelMixture::check(const Prior& prior, ErrorList& errors) const {
  const Index entries =
      power(prior.vocabulary, static_cast<Index>(prior.parents.size()) + 1, "kernel entries");
  if (components < 1 || components > max_kernel_entries / entries) {
    errors.add(fault(Field::prior, to_string(prior.family),
                     "K must be between 1 and {}, the number of kernels of {} entries each",
                     max_kernel_entries / entries, entries));
  }
}

void KernelMixture::draw(const Prior& prior, const ChainKey& chain,
                         std::span<double> kernel) const {
  const double share = chain.stream(Variate::kernel).uniform();
  const Index component = static_cast<Index>(share * static_cast<double>(components));
  DirichletRows().draw(prior, {seed.value_or(chain.seed), Purpose::mixture, component}, kernel);
}

double KernelMixture::small_entries(const Prior&) const {
  return std::numeric_limits<double>::infinity();
}

Kernels mixture_components(const Prior& prior, std::uint64_t seed) {
  const auto& mixture = std::get<KernelMixture>(prior.family);
  return draw_kernels(of_components(prior), mixture.seed.value_or(seed), Purpose::mixture,
                      mixture.components);
}

MixturePosterior::MixturePosterior(Kernels kernels)
    : kernels_(std::move(kernels)), log_values_(kernels_.values.size()) {
  std::transform(kernels_.values.begin(), kernels_.values.end(), log_values_.begin(),
                 [](double p) { return std::log(p); });
}

void MixturePosterior::label_law(std::span<const Token> tokens, std::span<double> law,
                                 Index replaced) const {
  const Index d = kernels_.vocabulary, length = static_cast<Index>(tokens.size()) - 1;
  const Index entries = kernels_.contexts() * d;
  const auto context_at = [&](Index l) {
    Index context = 0;
    for (const Index lag : kernels_.parents) context = context * d + tokens[size(l - lag)];
    return context;
  };
  std::vector<double> count(size(entries), 0.0);
  for (Index l = kernels_.longest_lag(); l < length - replaced; ++l)
    count[size(context_at(l) * d + tokens[size(l)])] += 1.0;
  std::vector<std::size_t> seen;
  for (std::size_t i = 0; i < count.size(); ++i)
    if (count[i] > 0.0) seen.push_back(i);

  std::vector<double> weight(size(kernels_.count), 0.0);  // log-likelihoods, then P(k|x)
  for (Index k = 0; k < kernels_.count; ++k) {
    const double* const logs = log_values_.data() + k * entries;
    for (const std::size_t i : seen) weight[size(k)] += count[i] * logs[i];
  }
  const double top = *std::max_element(weight.begin(), weight.end());
  double total = 0.0;
  for (double& w : weight) total += w = std::exp(w - top);
  std::fill(law.begin(), law.end(), 0.0);
  const Index query = context_at(length);
  for (Index k = 0; k < kernels_.count; ++k) {
    const double* const row = kernels_.values.data() + k * entries + query * d;
    for (std::size_t e = 0; e < law.size(); ++e) law[e] += weight[size(k)] / total * row[e];
  }
}

}  // namespace gihflow
