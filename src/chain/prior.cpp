#include "gihflow/chain/prior.hpp"

#include <cmath>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/distributions.hpp"

namespace gihflow {

namespace {

constexpr Index chains_per_block = 64;

}  // namespace

ErrorList prior_errors(const Prior& prior) {
  ErrorList errors;
  const Index d = prior.vocabulary;
  if (d < 2 || d > max_vocabulary) {
    errors.add(fault(Field::vocabulary, d, "must be between 2 and {}", max_vocabulary));
  }
  if (!are_parents(prior.parents)) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents), parents_allowed));
  }
  if (!std::isfinite(prior.alpha) || prior.alpha <= 0.0) {
    errors.add(fault(Field::alpha, prior.alpha, "must be a finite number above 0"));
  }
  if (!(prior.floor >= 0.0) || (d >= 2 && !(prior.floor < 1.0 / static_cast<double>(d)))) {
    errors.add(fault(Field::floor, prior.floor, "must be at least 0 and below 1/{} = {}",
                     Field::vocabulary, 1.0 / static_cast<double>(d)));
  }
  if (!errors.empty()) return errors;
  Index entries = d;  // d^{n+1}
  for (std::size_t i = 0; i < prior.parents.size() && entries <= max_kernel_entries; ++i) {
    entries *= d;
  }
  if (entries > max_kernel_entries) {
    errors.add(fault(Field::parents, to_string_lags(prior.parents),
                     "a kernel of {}^{} = {}^{} entries: must not exceed {}", Field::vocabulary,
                     prior.parents.size() + 1, d, prior.parents.size() + 1, max_kernel_entries));
  }
  return errors;
}

void draw_kernel(const Prior& prior, std::uint64_t seed, Purpose purpose, Index chain,
                 std::span<double> values) {
  const auto d = size(prior.vocabulary);
  Stream stream(seed, purpose, Variate::kernel, chain);
  for (std::size_t begin = 0; begin < values.size(); begin += d) {
    const std::span<double> row = values.subspan(begin, d);
    dirichlet(stream, prior.alpha, row);  // (1.1)
    if (prior.floor > 0.0) {              // (1.3)
      const double kept = 1.0 - static_cast<double>(d) * prior.floor;
      for (double& entry : row) entry = kept * entry + prior.floor;
    }
  }
}

Kernels draw_kernels(const Prior& prior, std::uint64_t seed, Purpose purpose, Index count) {
  ErrorList errors = prior_errors(prior);
  if (count < 1) errors.add(fault(Field::chains, count, "must be at least 1"));
  errors.throw_if_any();

  Kernels kernels;
  kernels.vocabulary = prior.vocabulary;
  kernels.parents = prior.parents;
  kernels.count = count;
  const Index entries = kernels.contexts() * prior.vocabulary;
  if (count > (Index{1} << 62) / entries) {
    throw InputError(fault(Field::chains, count, "{} kernel entries each are too many", entries));
  }
  kernels.values.resize(size(count * entries));
  parallel_ranges(count, chains_per_block, [&](Index begin, Index end) {
    for (Index chain = begin; chain < end; ++chain)
      draw_kernel(prior, seed, purpose, chain, kernels.of_chain(chain));
  });
  return kernels;
}

}  // namespace gihflow
