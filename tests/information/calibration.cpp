// The stated standard errors of the informations are those of the errors, over 400 disjoint
// samples.

#include <doctest/doctest.h>

#include "gihflow/chain/prior.hpp"
#include "gihflow/information/chi_square.hpp"
#include "support/statistics.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

constexpr Index repetitions = 400, chains = 500, truth_chains = 400'000;
constexpr Index window = 2, degree = 2;

Kernels slice(const Kernels& all, Index first, Index count) {
  Kernels part;
  part.vocabulary = all.vocabulary;
  part.parents = all.parents;
  const Index entries = all.contexts() * all.vocabulary;
  part.values.assign(all.values.begin() + first * entries,
                     all.values.begin() + (first + count) * entries);
  part.count = count;
  return part;
}

}  // namespace

TEST_CASE("standard errors of the informations cover the truth as often as they say") {
  Prior prior;
  prior.vocabulary = 2;
  prior.alpha = 0.5;
  const Kernels all = draw_kernels(prior, 11, Purpose::test, repetitions * chains + truth_chains);
  const Ranking truth =
      rank_lag_sets(slice(all, repetitions * chains, truth_chains), window, degree);
  std::vector<std::vector<double>> standard(truth.sets.size()), modified(truth.sets.size());
  for (Index k = 0; k < repetitions; ++k) {
    const Ranking found = rank_lag_sets(slice(all, k * chains, chains), window, degree);
    for (std::size_t s = 1; s < truth.sets.size(); ++s) {  // the empty set has none
      const RankedSet &a = found.sets[s], &b = truth.sets[s];
      standard[s].push_back((a.chi_square - b.chi_square) / a.chi_square_error);
      modified[s].push_back((a.modified - b.modified) / a.modified_error);
    }
  }
  for (std::size_t s = 1; s < truth.sets.size(); ++s) {
    CAPTURE(s);
    CHECK(coverage_p_value(standard[s]) >= least_p_value);
    CHECK(coverage_p_value(modified[s]) >= least_p_value);
    for (double& z : modified[s]) z *= 1.25;  // a fifth too small would be found
    CHECK(coverage_p_value(modified[s]) < least_p_value);
  }
}
