#include "gihflow/model/model.hpp"

#include <algorithm>

#include "gihflow/base/subsets.hpp"

namespace gihflow {

Index Model::subsets() const {
  return subset_count(heads, degree);
}

std::vector<Index> Model::used_lags() const {
  std::vector<Index> used;
  for (Index h = 0; h < heads; ++h)
    for (Index i = 0; i < window; ++i)
      if (const Index used_lag = lag(h, i); used_lag > 0) used.push_back(used_lag);
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  return used;
}

double Model::window_count() const {
  const double d = static_cast<double>(vocabulary);
  double count = 1.0;
  for (std::size_t n = used_lags().size(); n > 0; --n)
    count = count * d + (boundary == Boundary::partial ? 1.0 : 0.0);
  return count;
}

Index Model::widest() const {
  if (head_lags.empty()) return head_windows == HeadWindows::shared ? window : window + heads - 1;
  Index widest = 0;
  for (const std::vector<Index>& lags : head_lags)
    for (const Index one : lags) widest = std::max(widest, one);
  return widest;
}

}  // namespace gihflow
