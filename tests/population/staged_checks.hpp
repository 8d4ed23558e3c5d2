#pragma once

// Comparisons of the staged engines with the CPU engine and the reference, wherever the stages run.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "gihflow/population/infinite.hpp"
#include "population/cases.hpp"
#include "population/features.hpp"
#include "support/settings.hpp"

namespace gihflow::testing {

using Maker = std::unique_ptr<Objective> (*)(const Model&, const SequenceSource&, Engine);

/// relative_difference, but where there is nothing but rounding to compare.
inline double difference(const std::vector<double>& x, const std::vector<double>& y) {
  double most = 0.0;
  for (double v : y) most = std::max(most, std::abs(v));
  if (most > 1e-14) return relative_difference(x, y);
  for (double v : x)
    if (!(std::abs(v) <= 1e-13)) return HUGE_VAL;
  return 0.0;
}

inline std::vector<double> gradient_of(const Gradient& g) {
  std::vector<double> all = flat(g);
  all.erase(all.begin());
  all.insert(all.end(), g.attention.begin(), g.attention.end());
  return all;
}

inline void check_against_cpu(Maker make) {
  for (const Case& c : cases()) {
    if (!has_card_features(c.model)) continue;
    CAPTURE(c.name);
    const auto source = sample_prior(c.sampling);
    const Parameters parameters = generic_point(c.model, c.a);
    const Point at = point_of(parameters), along = direction_of(at);
    const auto reference = make_objective(c.model, *source, Engine::reference);
    const auto cpu = make_objective(c.model, *source, Engine::sparse);
    Gradient oracle, expected, expected_along, found, found_along;
    reference->gradient(at, oracle);
    cpu->gradient_along(at, along, expected, expected_along);
    for (Engine engine : {Engine::dense, Engine::sparse, Engine::automatic}) {
      const auto objective = make(c.model, *source, engine);
      CAPTURE(objective->engine());
      CHECK(objective->chains() == c.sampling.count);
      CHECK(objective->memory() > 0);
      objective->gradient(at, found);
      CHECK(std::abs(found.loss - oracle.loss) <= 1e-12 * std::abs(oracle.loss));
      oracle.attention = found.attention;  // which the reference does not give
      CHECK(difference(gradient_of(found), gradient_of(oracle)) <= 1e-12);
      CHECK(difference(found.attention, expected.attention) <= 1e-11);
      CHECK(objective->loss(at) == found.loss);
      Gradient again;
      objective->gradient(at, again);
      CHECK(gradient_of(again) == gradient_of(found));
      CHECK(again.loss == found.loss);
      objective->gradient(at, again, false);
      CHECK(gradient_of(again) == gradient_of(found));
      CHECK(std::isnan(again.loss));

      Gradient value;
      objective->gradient_along(at, along, value, found_along);
      CHECK(difference(gradient_of(value), gradient_of(expected)) <= 1e-11);
      CHECK(std::abs(found_along.loss - expected_along.loss) <=
            1e-11 * std::abs(expected_along.loss) + 1e-13);
      CHECK(difference(gradient_of(found_along), gradient_of(expected_along)) <= 1e-10);

      std::vector<Index> batch;
      for (Index i = 0; i < objective->chains(); i += 3)
        batch.push_back(objective->chains() - 1 - i);
      Gradient of_batch, expected_of_batch;
      objective->batch_gradient(batch, at, of_batch);
      cpu->batch_gradient(batch, at, expected_of_batch);
      CHECK(difference(gradient_of(of_batch), gradient_of(expected_of_batch)) <= 1e-11);
      // A batch leaves nothing behind.
      objective->gradient(at, again);
      CHECK(gradient_of(again) == gradient_of(found));
    }
    if (c.sampling.count > 9) continue;
    const StandardErrors errors =
        make(c.model, *source, Engine::automatic)->standard_errors(parameters);
    const StandardErrors expected_errors = cpu->standard_errors(parameters);
    if (c.sampling.count > 1)
      CHECK(std::abs(errors.loss - expected_errors.loss) <= 1e-11 * expected_errors.loss);
  }
}

inline void check_large(Maker make) {
  SamplingOptions options = sampling(3000, 60);
  const auto source = sample_prior(options);
  const Point at = point_of(generic_point(Model{}, 3.0));
  const auto cpu = make_objective({}, *source, Engine::dense);
  Gradient expected, found;
  cpu->gradient(at, expected);
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    const auto objective = make({}, *source, engine);
    objective->gradient(at, found);
    CHECK(std::abs(found.loss - expected.loss) <= 1e-13 * expected.loss);
    CHECK(difference(gradient_of(found), gradient_of(expected)) <= 1e-12);
  }

  CHECK(make({}, *source, Engine::automatic)->engine() == "dense");

  // More windows than chains, and a vocabulary beyond what a thread keeps to itself.
  Model wide{.vocabulary = 16, .window = 8, .heads = 4, .degree = 2};
  options = sampling(40, 64);
  options.prior.vocabulary = 16;
  const auto rare = sample_prior(options);
  const Point point = point_of(generic_point(wide, 2.0));
  const Point along = direction_of(point);
  Gradient expected_along, found_along;
  make_objective(wide, *rare, Engine::sparse)
      ->gradient_along(point, along, expected, expected_along);
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    const auto objective = make(wide, *rare, engine);
    objective->gradient_along(point, along, found, found_along);
    CHECK(difference(gradient_of(found), gradient_of(expected)) <= 1e-12);
    CHECK(difference(gradient_of(found_along), gradient_of(expected_along)) <= 1e-11);
  }
  CHECK(make(wide, *rare, Engine::automatic)->engine() == "sparse");
}

using InfiniteMaker = std::unique_ptr<Objective> (*)(const Model&, const Kernels&);

inline void check_infinite(InfiniteMaker make) {
  for (const Case& c : cases()) {
    if (!has_card_features(c.model)) continue;
    if (c.model.widest() > 5 || c.sampling.prior.parents.back() > 5) continue;
    CAPTURE(c.name);
    Prior prior = c.sampling.prior;
    prior.alpha = std::max(prior.alpha, 0.05);
    const Kernels kernels = draw_kernels(prior, 5, Purpose::test, 7);
    const Point at = point_of(generic_point(c.model, c.a)), along = direction_of(at);
    const auto cpu = make_infinite_objective(c.model, kernels);
    const auto objective = make(c.model, kernels);
    CHECK(objective->engine() == "infinite");
    CHECK(objective->chains() == 7);
    Gradient expected, expected_along, found, found_along, again;
    cpu->gradient_along(at, along, expected, expected_along);
    objective->gradient(at, found);
    CHECK(std::abs(found.loss - cpu->loss(at)) <= 1e-12 * found.loss);
    CHECK(difference(gradient_of(found), gradient_of(expected)) <= 1e-11);
    objective->gradient(at, again, false);
    CHECK(gradient_of(again) == gradient_of(found));
    objective->gradient_along(at, along, again, found_along);
    CHECK(difference(gradient_of(found_along), gradient_of(expected_along)) <= 1e-10);
  }
}

}  // namespace gihflow::testing
