// Baselines in infinite context, where the limiting predictor is a limit of the model.

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/stationary.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/predictors.hpp"
#include "support/input_errors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("the loss of GIH in infinite context is the model's as attention sharpens and a grows") {
  const Kernels kernels =
      draw_kernels({.vocabulary = 3, .parents = {1, 2}, .alpha = 0.3}, 2, Purpose::test, 40);
  for (Readout readout : {Readout::log, Readout::softmax}) {
    Model model;
    model.readout = readout;
    const auto masks = subsets(3, 2);
    const auto objective = make_infinite_objective(model, kernels);
    for (std::size_t s = 0; s < masks.size(); ++s) {
      Point at{std::vector<double>(masks.size()), std::vector<double>(9), 1e4};
      at.p[s] = 1.0;
      for (std::size_t h = 0; h < 3; ++h) at.w[4 * h] = 1000.0;
      const auto lags = elements_of(masks[s]);
      const Baselines lines = baselines(kernels, model, lags);
      CHECK(std::abs(lines.gih_loss - objective->loss(at)) <= tolerance<double>(1000));
      CHECK(!lines.posterior_loss);
    }
  }
}

TEST_CASE("in infinite context GIH of the parents loses what the chain itself does") {
  const Model model{.vocabulary = 2, .window = 4, .epsilon = 0.0};
  const Kernels kernels =
      draw_kernels({.vocabulary = 2, .parents = {1, 3}, .alpha = 0.5}, 2, Purpose::test, 30);
  const std::vector<Index> parents{1, 3}, more{1, 3, 4}, fewer{3};
  const Baselines at_parents = baselines(kernels, model, parents);
  CHECK(std::abs(at_parents.gih_loss - at_parents.entropy_floor) <= tolerance<double>(100));
  CHECK(std::abs(at_parents.gih_loss_error - at_parents.entropy_floor_error) <=
        tolerance<double>(100));
  CHECK(std::abs(baselines(kernels, model, more).gih_loss - at_parents.gih_loss) <=
        tolerance<double>(100));
  CHECK(baselines(kernels, model, fewer).gih_loss > at_parents.gih_loss + 0.01);
  CHECK(baselines(kernels, model, {}).gih_loss > baselines(kernels, model, fewer).gih_loss);

  const std::vector<Index> far{5};
  CHECK(input_error([&] { baselines(kernels, model, far); }) ==
        "parent set, lag 5: must be between 1 and the widest lag, 4");
  CHECK(input_error([&] { baselines(kernels, {.vocabulary = 3}, parents); }) ==
        "vocabulary 2 of the kernels: must be the model's, 3");
}
