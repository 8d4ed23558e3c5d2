#include "gihflow/theory/distance.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/base/subsets.hpp"
#include "gihflow/theory/predictors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

SamplingOptions options(Index vocabulary, Index length, Index count) {
  SamplingOptions o;
  o.prior.vocabulary = vocabulary;
  o.length = length;
  o.count = count;
  o.purpose = Purpose::test;
  return o;
}

// A model that is GIH({1,2}) but for what a test takes away.
Parameters trained(const Model& model) {
  Parameters q = initial_parameters(model, {8.0, 0.0, 0.01, 12.0});
  const auto sets = subsets(model.heads, model.degree);
  for (std::size_t i = 0; i < sets.size(); ++i)
    q.log_c_squared[i] = sets[i] == 0b011 ? 0.0 : -900.0;
  return q;
}

void select(Parameters& q, std::uint32_t mask) {
  const auto sets = subsets(q.heads, q.degree);
  for (std::size_t i = 0; i < sets.size(); ++i) q.log_c_squared[i] = sets[i] == mask ? 0.0 : -900.0;
}

Parts missing(const Model& model, const Parameters& q, const std::vector<Index>& lags) {
  const auto source = sample_prior(options(model.vocabulary, 100, 200));
  const WindowSample sample(model, *source);
  return missing_parts(substitutions(sample, q, lags), 0.02);
}

}  // namespace

TEST_CASE("GIH from window counts is gih_predict of every sequence, in every convention") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const HeadWindows windows : {HeadWindows::shared, HeadWindows::shifted})
      for (const Index d : {2, 3})
        for (const Index length : {7, 40}) {
          const Model model{d,   2, 3, 2, boundary, windows, HeadNormalization::none, Readout::log,
                            0.01};
          const auto source = sample_prior(options(d, length, 19));
          const Sequences sequences = collect(*source);
          const WindowSample sample(model, *source);
          for (const std::vector<Index>& lags :
               std::vector<std::vector<Index>>{{}, {1}, {2}, {1, 2}}) {
            const auto g = sample.gih(lags);
            for (Index i = 0; i < 19; ++i) {
              const auto expected = gih_predict(sequences.tokens_of(i), model, lags);
              for (Index e = 0; e < d; ++e) CHECK(close(g[at(i * d + e)], expected[at(e)], 100.0));
            }
          }
        }
}

TEST_CASE("sharp selector, copier and classifier make the model GIH") {
  Model model;
  const auto source = sample_prior(options(3, 300, 50));
  const WindowSample sample(model, *source);
  Parameters q = trained(model);
  for (double& w : q.w) w *= 100.0;
  q.a = 2000.0;
  const std::vector<Index> lags = {1, 2};
  const Distance x =
      distance(sample.gih(lags), sample.predict(sample.scores(point_of(q)), q.a), 3, 0.0);
  CHECK(x.total_variation <= gihflow::testing::tolerance<double>(300));
  CHECK(x.kl <= gihflow::testing::tolerance<double>(300));
  CHECK(x.argmax_agreement == 1.0);
}

TEST_CASE("distances by hand") {
  // Chain 0: a tie in g that meets y's maximum. Chain 1: no agreement, 0·log 0 = 0.
  const std::vector<double> g = {0.5, 0.5, 1.0, 0.0}, y = {0.25, 0.75, 0.4, 0.6};
  const Distance x = distance(g, y, 2, 0.0);
  CHECK(close(x.total_variation, 0.5 * (0.25 + 0.6), 10));
  CHECK(close(x.total_variation_error, 0.5 * 0.35, 10));
  const double first = 0.5 * std::log(2.0) + 0.5 * std::log(0.5 / 0.75), second = std::log(1 / 0.4);
  CHECK(close(x.kl, 0.5 * (first + second), 10));
  CHECK(x.argmax_agreement == 0.5);
  CHECK(close(distance(std::vector{1.0, 0.0}, std::vector{0.0, 1.0}, 2, 0.01).kl,
              std::log(1.02 / 0.01), 10));
  CHECK(std::isinf(distance(std::vector{1.0, 0.0}, std::vector{0.0, 1.0}, 2, 0.0).kl));
  CHECK(std::isnan(distance(std::vector{1.0, 0.0}, std::vector{0.0, 1.0}, 2, 0.0).kl_error));
}

TEST_CASE("what the heads of a subset attend to") {
  Model model;
  Parameters q = trained(model);
  CHECK(attended_lags(q, model, 0b101) == std::vector<Index>{1, 3});
  CHECK(attended_lags(q, model, 0).empty());
  CHECK(leading_lags(q, model) == std::vector<Index>{1, 2});
  std::swap(q.w[0], q.w[2]);  // head 1 on lag 3
  CHECK(leading_lags(q, model) == std::vector<Index>{2, 3});
  q.w[0] = q.w[1] = q.w[2] = 0.0;  // a tie goes to the nearest lag
  CHECK(attended_lags(q, model, 0b001) == std::vector<Index>{1});
  model.head_windows = HeadWindows::shifted;
  CHECK(attended_lags(q, model, 0b100) == std::vector<Index>{5});
}

TEST_CASE("the missing part is named") {
  const Model model;
  const std::vector<Index> lags = {1, 2};
  CHECK(missing(model, trained(model), lags) == Parts{});
  CHECK(names_of(Parts{}).empty());
  CHECK(names_of(Parts{true, true, true}) ==
        std::vector<std::string>{"selector", "copier", "classifier"});

  Parameters q = trained(model);
  select(q, 0b101);
  CHECK(missing(model, q, lags) == Parts{true, false, false});
  q.a = 0.01;
  CHECK(missing(model, q, lags) == Parts{true, false, true});

  for (const double factor : {0.25, 0.01}) {
    q = trained(model);
    q.a *= factor;
    CHECK(missing(model, q, lags) == Parts{false, false, true});
  }
  for (const Index h : {0, 1}) {
    q = trained(model);
    for (Index i = 0; i < 3; ++i) q.w[at(h * 3 + i)] = 0.0;
    CHECK(missing(model, q, lags) == Parts{false, true, false});
  }
  q = trained(model);
  select(q, 0b101);
  for (double& w : q.w) w = 0.0;
  q.a = 0.01;
  CHECK(missing(model, q, lags).classifier);
  CHECK(missing(model, q, lags).copier);
  CHECK(missing_parts({}, 0.02) == Parts{true, true, true});
}
