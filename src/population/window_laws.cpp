#include "population/window_laws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/stationary.hpp"
#include "population/views.hpp"

namespace gihflow {

std::vector<double> WindowLaws::joint() const {
  std::vector<double> out(size(chains * vocabulary * windows));
  for (Index row = 0; row < chains * vocabulary; ++row)
    for (Index z = 0; z < windows; ++z)
      out[size(row * windows + z)] =
          law[size(row / vocabulary * stride + z)] * next[size(row * states + state[size(z)])];
  return out;
}

WindowLaws window_laws(const Model& model, const Kernels& kernels) {
  const Index d = model.vocabulary;
  const std::vector<Index> lags = model.used_lags();
  const Index width = static_cast<Index>(lags.size());
  std::vector<Index> seen;  // the parents as lags of a window that has no gaps
  for (std::size_t i = 0; i < lags.size(); ++i)
    if (std::ranges::binary_search(kernels.parents, lags[i]))
      seen.push_back(static_cast<Index>(i) + 1);
  const bool all_seen = seen.size() == kernels.parents.size();

  WindowLaws laws;
  laws.chains = kernels.count;
  laws.vocabulary = d;
  laws.windows = power(d, width, "windows");
  laws.states = all_seen ? power(d, static_cast<Index>(seen.size()), "states") : laws.windows;
  laws.window.resize(size(laws.windows));
  std::iota(laws.window.begin(), laws.window.end(), std::uint64_t{0});
  if (all_seen)
    std::ranges::stable_sort(laws.window, {}, [&](std::uint64_t z) {
      return context_of_window(static_cast<Index>(z), width, d, seen);
    });
  laws.stride = (laws.windows + hot::pack - 1) / hot::pack * hot::pack;
  laws.state.assign(size(laws.stride), 0);
  for (Index z = 0; z < laws.windows; ++z)
    laws.state[size(z)] = static_cast<std::uint32_t>(z / (laws.windows / laws.states));
  laws.law.assign(size(kernels.count * laws.stride), 0.0);
  laws.next.assign(size(kernels.count * d * laws.states), 0.0);
  parallel_ranges(kernels.count, 16, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::span<const double> kernel = kernels.of_chain(i);
      const Index classes = closed_classes(kernel, d, kernels.parents);
      if (classes != 1)
        throw InputError(fault(fmt::format("kernels, chain {}", i), "",
                               "has {} closed classes of states: must be one in infinite context, "
                               "since its stationary law is not unique",
                               classes));
      const std::vector<double> joint = stationary_lag_law(kernel, d, kernels.parents, lags);
      double* law = laws.law.data() + i * laws.stride;
      double* next = laws.next.data() + i * d * laws.states;
      const auto joint_at = [&](Index e, Index place) {
        return joint[size(e * laws.windows) + laws.window[size(place)]];
      };
      for (Index e = 0; e < d; ++e)
        for (Index z = 0; z < laws.windows; ++z) law[z] += joint_at(e, z);
      for (Index e = 0; e < d; ++e)
        for (Index s = 0; s < laws.states; ++s)
          if (all_seen)
            next[e * laws.states + s] = kernel[size(s * d + e)];
          else if (law[s] > 0.0)
            next[e * laws.states + s] = joint_at(e, s) / law[s];
    }
  });
  return laws;
}

}  // namespace gihflow
