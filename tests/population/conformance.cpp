// Every engine against the reference objective, on awkward sizes and in all conventions of theory
// §2.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "population/cases.hpp"
#include "population/engines.hpp"
#include "population/tiled_statistics.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

/// The instruction sets that the machine has.
std::vector<std::string> machine_sets() {
  std::vector<std::string> sets{"baseline"};
  if (instruction_set() != "baseline") sets.push_back("avx2");
  if (instruction_set() == "avx512") sets.push_back("avx512");
  return sets;
}

}  // namespace

TEST_CASE("dense and sparse engines agree with the reference objective") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    auto source = sample_prior(c.sampling);
    Parameters at = generic_point(c.model, c.a);
    auto reference = make_objective(c.model, *source, Engine::reference);
    Gradient expected, found;
    reference->gradient(point_of(at), expected);
    std::vector<double> gradient = flat(expected);
    gradient.erase(gradient.begin());
    for (Engine engine : {Engine::dense, Engine::sparse, Engine::automatic}) {
      auto objective = make_objective(c.model, *source, engine);
      CAPTURE(objective->engine());
      CHECK(objective->chains() == c.sampling.count);
      objective->gradient(point_of(at), found);
      CHECK(std::abs(found.loss - expected.loss) <= 1e-12 * std::abs(expected.loss));
      std::vector<double> g = flat(found);
      g.erase(g.begin());
      // max|Δ|/max|g|: the bound, 1e-12 in double.
      CHECK(relative_difference(g, gradient) <= c.tolerance);
      CHECK(objective->loss(point_of(at)) == found.loss);
      Gradient without;
      objective->gradient(point_of(at), without, false);
      CHECK(without.p == found.p);
      CHECK(without.w == found.w);
      CHECK(without.a == found.a);
      CHECK(std::isnan(without.loss));
      Gradient some;
      objective->gradient_in(Derivatives::all, point_of(at), some);
      CHECK(flat(some) == flat(found));
      objective->gradient_in(Derivatives::weights, point_of(at), some);
      CHECK(some.loss == found.loss);
      CHECK(some.a == found.a);
      CHECK(some.p == found.p);
      CHECK(some.w.size() == found.w.size());
      CHECK(std::ranges::all_of(some.w, [](double x) { return std::isnan(x); }));
      objective->gradient_in(Derivatives::scale, point_of(at), some, false);
      CHECK(some.a == found.a);
      CHECK(some.p.size() == found.p.size());
      CHECK(std::ranges::all_of(some.p, [](double x) { return std::isnan(x); }));
    }
  }
  CHECK(derivatives_in("a") == Derivatives::scale);
  CHECK(derivatives_in("ca") == Derivatives::weights);
  CHECK(derivatives_in("c{1}") == Derivatives::weights);
  CHECK(derivatives_in("ak") == Derivatives::all);
}

TEST_CASE("a pack that its last window fills is not eight windows of the table in a row") {
  // Of 15 windows three chains see those numbered 0 … 5 and 7.
  const Model model{.vocabulary = 4,
                    .window = 2,
                    .heads = 2,
                    .degree = 2,
                    .head_normalization = HeadNormalization::l2};
  Sequences data{
      .vocabulary = 4, .length = 8, .count = 5, .tokens = {}, .targets = {}, .parents = {}};
  data.tokens = {2, 0, 0, 1, 1, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 1, 3, 1, 0, 0, 0,
                 0, 0, 0, 2, 0, 0, 1, 0, 2, 0, 3, 1, 0, 1, 2, 2, 1, 3, 2, 3, 3, 1};
  for (Index chain = 0; chain < data.count; ++chain)
    for (Index e = 0; e < 4; ++e) data.targets.push_back(e == chain % 4 ? 0.7 : 0.1);
  auto source = stored_sequences(std::make_shared<Sequences>(data));
  const TiledStatistics layout(model, count_windows(model, *source), 8);
  REQUIRE(layout.table_keys().size() == 15);
  const hot::StatisticsView view = layout.view();
  REQUIRE(std::vector(view.pair_window, view.pair_window + 8) ==
          std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 7, 7});
  const Point at = point_of(generic_point(model)), along = direction_of(at);
  Gradient expected, expected_derivative, found, derivative;
  make_objective(model, *source, Engine::reference)
      ->gradient_along(at, along, expected, expected_derivative);
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    make_objective(model, *source, engine)->gradient_along(at, along, found, derivative);
    CHECK(relative_difference(flat(found), flat(expected)) <= 1e-12);
    CHECK(relative_difference(flat(derivative), flat(expected_derivative)) <= 1e-11);
  }
}

TEST_CASE("derivatives along a direction agree with nested differentiation of the reference") {
  for (Case c : cases()) {
    if (c.sampling.count > 9) c.sampling.count = 5;
    if (c.sampling.length > 50 || c.model.heads > 4) continue;  // the oracle is slow
    CAPTURE(c.name);
    auto source = sample_prior(c.sampling);
    Point at = point_of(generic_point(c.model, c.a));
    const Point along = direction_of(at);
    auto reference = make_objective(c.model, *source, Engine::reference);
    Gradient value, expected, v, found;
    reference->gradient_along(at, along, value, expected);
    for (Engine engine : {Engine::dense, Engine::sparse}) {
      auto objective = make_objective(c.model, *source, engine);
      CAPTURE(objective->engine());
      objective->gradient_along(at, along, v, found);
      CHECK(relative_difference(flat(v), flat(value)) <= c.tolerance);
      // Second derivatives in a·k carry the square of the rounding error of a·k.
      const double conditioning = std::max(1.0, std::abs(c.a));
      CHECK(relative_difference(flat(found), flat(expected)) <= 10.0 * c.tolerance * conditioning);
    }
  }
}

TEST_CASE("every instruction set that the machine has gives the same gradient") {
  const std::vector<std::string> sets = machine_sets();
  auto source = sample_prior(sampling(500));
  for (int lanes : {1, 8}) {
    Gradient first, other;
    Point at = point_of(generic_point({}));
    make_tiled_objective({}, *source, lanes, sets[0])->gradient(at, first);
    for (const std::string& set : sets) {
      CAPTURE(set);
      make_tiled_objective({}, *source, lanes, set)->gradient(at, other);
      // Only the vector exp and log may differ between sets.
      CHECK(relative_difference(flat(other), flat(first)) <= 1e-14);
    }
  }
  const StandardErrors errors =
      make_tiled_objective({}, *source, 8, sets[0])->standard_errors(generic_point({}));
  for (const std::string& set : sets) {
    CAPTURE(set);
    const StandardErrors others =
        make_tiled_objective({}, *source, 8, set)->standard_errors(generic_point({}));
    CHECK(relative_difference({others.loss}, {errors.loss}) <= 1e-13);
    CHECK(relative_difference(others.c, errors.c) <= 1e-13);
    CHECK(relative_difference(others.w, errors.w) <= 1e-13);
  }
  Prior prior;
  const Kernels kernels = draw_kernels(prior, 3, Purpose::train, 500);
  const Point at = point_of(generic_point({})), along = direction_of(at);
  for (Readout readout : {Readout::log, Readout::softmax}) {
    Model model;
    model.readout = readout;
    Gradient first, first_derivative, other, derivative;
    const auto baseline = make_host_infinite_objective(model, kernels, sets[0]);
    baseline->gradient_along(at, along, first, first_derivative);
    for (const std::string& set : sets) {
      CAPTURE(set);
      const auto objective = make_host_infinite_objective(model, kernels, set);
      objective->gradient_along(at, along, other, derivative);
      CHECK(relative_difference(flat(other), flat(first)) <= 1e-14);
      CHECK(relative_difference(flat(derivative), flat(first_derivative)) <= 1e-13);
    }
  }
}

TEST_CASE("tiles whose entries are one list give the gradient of the definition") {
  // Lists of no entry, of one and of more than a stride; tiles that fit a batch and some that do
  // not.
  const Model model{.vocabulary = 8};
  for (const Index length : {12, 32, 100}) {
    CAPTURE(length);
    SamplingOptions options = sampling(4000);
    options.prior.vocabulary = 8;
    options.length = length;
    auto source = sample_prior(options);
    REQUIRE(TiledStatistics(model, count_windows(model, *source), 8).view().batches);
    const Point at = point_of(generic_point(model));
    Gradient expected, found;
    make_objective(model, *source, Engine::reference)->gradient(at, expected);
    for (const std::string& set : machine_sets()) {
      CAPTURE(set);
      make_tiled_objective(model, *source, 8, set)->gradient(at, found);
      CHECK(relative_difference(flat(found), flat(expected)) <= 1e-12);
    }
  }
}

TEST_CASE("dense and sparse engines agree to 1e-13 on the paper's data") {
  auto source = sample_prior(sampling(2000));
  Point at = point_of(generic_point({}));
  Gradient dense, sparse;
  make_objective({}, *source, Engine::dense)->gradient(at, dense);
  make_objective({}, *source, Engine::sparse)->gradient(at, sparse);
  CHECK(relative_difference(flat(dense), flat(sparse)) <= 1e-13);
}
