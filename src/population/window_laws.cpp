#include <fmt/format.h>

#include <algorithm>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/chain/stationary.hpp"
#include "population/engines.hpp"

namespace gihflow {

std::vector<double> window_laws(const Model& model, const Kernels& kernels) {
  const Index d = model.vocabulary;
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
          stationary_lag_law(kernels.of_chain(i), d, kernels.parents, lags);
      std::copy(law.begin(), law.end(), laws.begin() + i * numbers);
    }
  });
  return laws;
}

}  // namespace gihflow
