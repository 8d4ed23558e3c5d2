#include "gihflow/population/objective.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>

#include "base/parallel.hpp"
#include "gihflow/population/reading.hpp"
#include "gihflow/population/window_sample.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("gradients agree with central differences of the loss") {
  Model reference{.boundary = Boundary::partial,
                  .head_windows = HeadWindows::shifted,
                  .head_normalization = HeadNormalization::l2,
                  .readout = Readout::softmax};
  Model all;
  all.positions = Positions::all;
  for (const Model& model : {Model{}, reference, all}) {
    auto objective = make_objective(model, *sample_prior(sampling(301)));
    Parameters at = generic_point(model);
    Gradient g;
    objective->gradient(point_of(at), g);
    std::vector<double> analytic = c_gradient(at, g), numeric;
    analytic.insert(analytic.end(), g.w.begin(), g.w.end());
    analytic.push_back(g.a);
    const double step = 1e-5;
    std::vector<double> c = at.c();
    for (std::size_t i = 0; i < c.size(); ++i) {
      auto loss = [&](double value) {
        std::vector<double> moved = c;
        moved[i] = value;
        Parameters there = at;
        there.set_c(moved);
        return objective->loss(point_of(there));
      };
      numeric.push_back((loss(c[i] + step) - loss(c[i] - step)) / (2 * step));
    }
    for (std::size_t i = 0; i <= at.w.size(); ++i) {
      double& x = i < at.w.size() ? at.w[i] : at.a;
      const double x0 = x;
      x = x0 + step;
      double above = objective->loss(point_of(at));
      x = x0 - step;
      double below = objective->loss(point_of(at));
      x = x0;
      numeric.push_back((above - below) / (2 * step));
    }
    CHECK(relative_difference(numeric, analytic) <= 1e-6);
  }
}

TEST_CASE("a point or a direction without an array of the model is refused") {
  Model plain, full;
  full.head_normalization = HeadNormalization::layer;
  full.scores = Scores::tokens;
  full.values = HeadValues::matrix;
  const Point without = point_of(generic_point(plain)), with = point_of(generic_point(full));
  const SequenceReader reader(full, std::vector<Token>{0, 1, 2, 0, 1, 2, 0});
  const auto source = sample_prior(sampling(2, 10));
  const WindowSample windows(full, *source);
  const std::vector<Index> chains = {1};
  Gradient g, along;
  for (const Engine engine : {Engine::dense, Engine::sparse, Engine::reference}) {
    const auto objective = make_objective(full, *source, engine);
    objective->gradient_along(with, with, g, along);
    const std::vector<std::string> told = {
        "point: number of entries of query is 0, the model has 27",
        "point: number of entries of key is 0, the model has 27",
        "point: number of entries of value is 0, the model has 27",
        "point: number of entries of gain is 0, the model has 3",
        "point: number of entries of bias is 0, the model has 3"};
    CHECK(input_errors([&] { objective->gradient(without, g); }) == told);
    CHECK(input_errors([&] { objective->loss(without); }) == told);
    CHECK(input_errors([&] { objective->batch_gradient(chains, without, g); }) == told);
    CHECK(input_errors([&] { objective->gradient_along(with, without, g, along); }) == told);
    CHECK(input_errors([&] { objective->standard_errors(generic_point(plain)); }) == told);
    CHECK(input_errors([&] { reader.read(without); }) == told);
    CHECK(input_errors([&] { windows.scores(without); }) == told);
  }
  Point few = without;
  few.p.pop_back();
  few.w.push_back(0.0);
  CHECK(input_errors([&] { make_objective(plain, *source)->gradient(few, g); }) ==
        std::vector<std::string>{"point: number of entries of p is 6, the model has 7",
                                 "point: number of entries of w is 10, the model has 9"});
}

TEST_CASE("identities of the gradient") {
  auto objective = make_objective({}, *sample_prior(sampling(500)));
  Parameters at = generic_point({});
  Gradient g;
  objective->gradient(point_of(at), g);
  // The loss is scale-free in c, (3.2).
  std::vector<double> c = at.c(), dc = c_gradient(at, g);
  double size = std::sqrt(std::inner_product(dc.begin(), dc.end(), dc.begin(), 0.0));
  CHECK(std::abs(std::inner_product(c.begin(), c.end(), dc.begin(), 0.0)) <=
        tolerance<double>(500.0) * size);
  // Attention is a softmax: shifting a head's logits changes nothing.
  for (std::size_t h = 0; h < 3; ++h) {
    double sum = g.w[3 * h] + g.w[3 * h + 1] + g.w[3 * h + 2];
    CHECK(std::abs(sum) <= tolerance<double>(500.0) * std::abs(g.w[3 * h]));
  }
  // The empty set matches everything alike: it never moves the loss.
  CHECK(std::abs(g.p[0]) <= tolerance<double>(500.0) * std::abs(g.p[1]));
}

TEST_CASE("results are bitwise the same for any number of threads") {
  auto source = sample_prior(sampling(3001));
  Point at = point_of(generic_point({}));
  Point along = at;
  std::vector<Gradient> gradients, derivatives;
  std::vector<double> losses;
  for (int n : {1, 2, 3, 7}) {
    Threads guard(n);
    auto objective = make_objective({}, *source);
    gradients.emplace_back();
    derivatives.emplace_back();
    Gradient again;
    objective->gradient(at, gradients.back());
    objective->gradient_along(at, along, again, derivatives.back());
    losses.push_back(objective->standard_errors(generic_point({})).loss);
  }
  for (std::size_t i = 1; i < gradients.size(); ++i) {
    CHECK(flat(gradients[i]) == flat(gradients[0]));
    CHECK(flat(derivatives[i]) == flat(derivatives[0]));
    CHECK(losses[i] == losses[0]);
  }
}

TEST_CASE("bits are the same while several threads really work") {
  auto objective = make_objective({}, *sample_prior(sampling(3001)));
  const Point at = point_of(generic_point({}));
  Gradient alone, g;
  const std::uint64_t before = helped_loops();
  {
    Threads one(1);
    objective->gradient(at, alone);
  }
  CHECK(helped_loops() == before);
  Threads several(4);
  // On a busy machine some loops are over before another thread has come.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (helped_loops() < before + 20 && std::chrono::steady_clock::now() < deadline) {
    objective->gradient(at, g);
    REQUIRE(flat(g) == flat(alone));
  }
  CHECK(helped_loops() >= before + 20);
}

TEST_CASE("chains alike share a lane and count as many") {
  // Nearly absorbing chains: most sequences repeat one token, and few differ in their statistics.
  SamplingOptions options = sampling(400, 30);
  options.prior.alpha = 0.02;
  auto source = sample_prior(options);
  Sequences sequences = collect(*source);
  const Point at = point_of(generic_point({}));
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    auto all = make_objective({}, *source, engine);
    Gradient g, batch;
    all->gradient(at, g);
    std::vector<Index> chains(400);
    std::iota(chains.begin(), chains.end(), Index{0});
    all->batch_gradient(chains, at, batch);
    CHECK(relative_difference(batch.w, g.w) <= 1e-12);
    // Minibatches of chains that share lanes: their mean is the gradient too.
    std::vector<double> mean(g.w.size(), 0.0);
    for (std::size_t first = 0; first < 400; first += 50) {
      all->batch_gradient(std::span(chains).subspan(first, 50), at, batch);
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += batch.w[i] / 8.0;
    }
    CHECK(relative_difference(mean, g.w) <= 1e-12);
    // Twice the same chains take no more than their targets and slots.
    Sequences doubled = sequences;
    doubled.count *= 2;
    doubled.tokens.insert(doubled.tokens.end(), sequences.tokens.begin(), sequences.tokens.end());
    doubled.targets.insert(doubled.targets.end(), sequences.targets.begin(),
                           sequences.targets.end());
    auto two = make_objective(
        {}, *stored_sequences(std::make_shared<const Sequences>(std::move(doubled))), engine);
    Gradient same;
    two->gradient(at, same);
    CHECK(std::abs(same.loss - g.loss) <= 1e-13 * g.loss);
    CHECK(relative_difference(same.w, g.w) <= 1e-12);
    CHECK(two->memory() == all->memory() + 400 * (3 * sizeof(double) + sizeof(Index)));
  }
}

TEST_CASE("standard errors are those of the chains' own gradients") {
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    auto source = sample_prior(sampling(37));
    auto objective = make_objective({}, *source, engine);
    auto oracle = make_objective({}, *source, Engine::reference);
    StandardErrors found = objective->standard_errors(generic_point({}));
    StandardErrors expected = oracle->standard_errors(generic_point({}));
    CHECK(close(found.loss, expected.loss, 1e3));
    CHECK(close(found.a, expected.a, 1e3));
    CHECK(relative_difference(found.c, expected.c) <= 1e-12);
    CHECK(relative_difference(found.w, expected.w) <= 1e-12);
  }
  // Chains that share lanes; kernels so peaked that each chain has its own shift.
  for (const Readout readout : {Readout::log, Readout::softmax})
    for (const double a : {1.7, 3e3}) {
      const Model model{.readout = readout};
      const auto source = sample_prior(sampling(300, 20));
      const Parameters at = generic_point(model, a);
      const StandardErrors found =
          make_objective(model, *source, Engine::dense)->standard_errors(at);
      const StandardErrors expected =
          make_objective(model, *source, Engine::reference)->standard_errors(at);
      CHECK(close(found.loss, expected.loss, 1e4));
      CHECK(relative_difference(found.c, expected.c) <= 1e-11);
      CHECK(relative_difference(found.w, expected.w) <= 1e-11);
    }
  // Many chains alike in all but their labels; single lags, whose attention is fixed.
  for (const Readout readout : {Readout::log, Readout::softmax})
    for (const Index window : {3, 1}) {
      const Model model{.window = window, .heads = window, .degree = 1, .readout = readout};
      const auto source = sample_prior(sampling(2000, 6));
      const auto dense = make_objective(model, *source, Engine::dense);
      const StandardErrors found = dense->standard_errors(generic_point(model)),
                           expected = make_objective(model, *source, Engine::reference)
                                          ->standard_errors(generic_point(model));
      CHECK(close(found.loss, expected.loss, 1e3));
      CHECK(close(found.a, expected.a, 1e3));
      CHECK(relative_difference(found.c, expected.c) <= 1e-12);
      if (window > 1) CHECK(relative_difference(found.w, expected.w) <= 1e-12);
      if (window == 1) CHECK(found.w == std::vector<double>{0.0});
    }
  auto one = make_objective({}, *sample_prior(sampling(1)));
  CHECK(std::isnan(one->standard_errors(generic_point({})).loss));
}

TEST_CASE(
    "an observed label that the context lacks costs infinity at epsilon 0 and leaves the "
    "gradient finite") {
  Sequences data{
      .vocabulary = 3, .length = 6, .count = 2, .tokens = {}, .targets = {}, .parents = {}};
  data.tokens = {0, 1, 0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  data.targets = {0, 0, 1, 1, 0, 0};
  Model model{.epsilon = 0.0};
  auto source = stored_sequences(std::make_shared<Sequences>(data));
  for (Engine engine : {Engine::dense, Engine::sparse}) {
    auto objective = make_objective(model, *source, engine);
    Gradient g;
    objective->gradient(point_of(generic_point(model)), g);
    CHECK(g.loss == HUGE_VAL);
    for (double x : g.p) CHECK(std::isfinite(x));
    for (double x : g.w) CHECK(std::isfinite(x));
    CHECK(std::isfinite(g.a));
  }
}

TEST_CASE("impossible problems are refused with a sentence") {
  auto refusal = [](const Model& model, SamplingOptions options) {
    options.prior.vocabulary = model.vocabulary;
    auto source = sample_prior(options);
    return input_error([&] { make_objective(model, *source); });
  };
  CHECK(refusal({}, sampling(5, 3)) ==
        "length 3: with masked boundary it must exceed the widest lag 3");
  auto source = sample_prior(sampling(5));
  CHECK(input_error([&] { make_objective({.vocabulary = 4}, *source); }) ==
        "vocabulary 3 of the data: the model has vocabulary 4");
}
