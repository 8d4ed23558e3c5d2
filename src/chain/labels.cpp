#include <algorithm>
#include <numeric>
#include <vector>

#include "base/followers.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/sequence.hpp"

namespace gihflow {

void certain_labels(std::span<const Token> tokens, Index vocabulary, std::span<double> targets) {
  const std::size_t d = size(vocabulary), rows = targets.size() / d;
  const std::span<const Token> labels = tokens.last(rows);
  std::fill(targets.begin(), targets.end(), 0.0);
  for (std::size_t row = 0; row < rows; ++row) targets[row * d + labels[row]] = 1.0;
}

void posterior_label_law(std::span<const Token> tokens, std::span<const Index> parents,
                         double alpha, std::span<double> law, Index replaced) {
  const Index length = static_cast<Index>(tokens.size()) - 1;
  const Index longest = parents.empty() ? 0 : parents.back();
  std::vector<Index> counts(law.size(), 0);  // n_{z,e}
  count_followers(tokens, longest, length - replaced, length, parents, counts);
  const auto occurrences =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), Index{0}));  // n_z
  const double unit = std::max(alpha, 1.0);  // d·alpha may overflow
  const double total = occurrences / unit + static_cast<double>(law.size()) * (alpha / unit);
  for (std::size_t e = 0; e < law.size(); ++e)
    law[e] = (static_cast<double>(counts[e]) / unit + alpha / unit) / total;
}

}  // namespace gihflow
