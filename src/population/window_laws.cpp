#include <fmt/format.h>

#include <algorithm>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/stationary.hpp"
#include "population/engines.hpp"

namespace gihflow {

namespace {

/// The law of the tokens at `lags` and of the token that follows, [d, d^lags], from that of W + 1
/// consecutive tokens, [d, d^W]: the others are summed out.
void keep_lags(const std::vector<double>& law, Index d, Index W, const std::vector<Index>& lags,
               double* out) {
  if (static_cast<Index>(lags.size()) == W) {
    std::copy(law.begin(), law.end(), out);
    return;
  }
  const Index kept = power(d, static_cast<Index>(lags.size()), "windows");
  std::vector<Token> tokens(size(W + 1));  // the last one, then lag 1, 2, …
  for (std::size_t k = 0; k < law.size(); ++k) {
    digits_of(k, static_cast<std::uint64_t>(d), tokens);
    Index window = 0;
    for (const Index lag : lags) window = window * d + tokens[size(lag)];
    out[tokens[0] * kept + window] += law[k];
  }
}

}  // namespace

std::vector<double> window_laws(const Model& model, const Kernels& kernels) {
  const Index d = model.vocabulary, W = model.widest();
  const std::vector<Index> lags = model.used_lags();
  const Index numbers = power(d, static_cast<Index>(lags.size()), "windows") * d;
  std::vector<double> laws(static_cast<std::size_t>(kernels.count * numbers));
  parallel_ranges(kernels.count, 16, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index classes = closed_classes(kernels.of_chain(i), d, kernels.parents);
      if (classes != 1)
        throw InputError(fault(fmt::format("kernels, chain {}", i), "",
                               "has {} closed classes of states: must be one in infinite context, "
                               "since its stationary law is not unique",
                               classes));
      const std::vector<double> law =
          stationary_window_law(kernels.of_chain(i), d, kernels.parents, W + 1);
      keep_lags(law, d, W, lags, laws.data() + i * numbers);
    }
  });
  return laws;
}

}  // namespace gihflow
