#include "gihflow/theory/critical_logit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"

using namespace gihflow;

namespace {

struct Setting {
  Model model;
  std::unique_ptr<Objective> objective;
  Parameters start;

  Setting(std::vector<Index> parents, double alpha, Index degree) {
    SamplingOptions sampling;
    sampling.prior.parents = std::move(parents);
    sampling.prior.alpha = alpha;
    model.degree = degree;
    model.epsilon = 0.0;
    objective =
        make_infinite_objective(model, draw_kernels(sampling.prior, 1, Purpose::test, 2000));
    start = initial_parameters(model, {3.0, 0.01, 0.01, 0.01});
  }
  Index index(std::uint32_t heads) const { return subset_index(heads, model.heads); }
  // The subset with the largest gain when own logits are `own`.
  Index winner(double own) const {
    const auto gain =
        selection_gain(*objective, initial_parameters(model, {own, 0.01, 0.01, 0.01}));
    return std::max_element(gain.begin(), gain.end()) - gain.begin();
  }
};

}  // namespace

TEST_CASE("at the critical own logit the parents begin to win") {
  for (const double alpha : {0.1, 1.0}) {
    const Setting three({1, 2, 3}, alpha, 3);
    const Index parents = three.index(0b111);
    const double critical = critical_own_logit(*three.objective, three.start, parents);
    CAPTURE(critical);
    CHECK(three.winner(critical + 1e-3) == parents);
    CHECK(three.winner(critical - 1e-3) != parents);
    CHECK(three.winner(critical + 5.0) == parents);
    // 3.48 and 3.07 by an independent program, with other chains.
    CHECK(std::abs(critical - (alpha == 0.1 ? 3.48 : 3.07)) < 0.15);
    CHECK(critical > 3.0);  // the usual start misses them
  }
}

TEST_CASE("a large alpha comes to the value of independent uniform windows") {  // (7.4)
  const Setting two({1, 2}, 10.0, 2);
  CHECK(std::abs(critical_own_logit(*two.objective, two.start, two.index(0b011)) - 1.50) < 0.1);
}

TEST_CASE("a subset that loses with one-hot attention has none") {
  const Setting two({1, 2}, 0.1, 2);
  CHECK(std::isnan(critical_own_logit(*two.objective, two.start, two.index(0b100))));
}
