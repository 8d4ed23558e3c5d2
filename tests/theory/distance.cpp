#include "gihflow/theory/distance.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "gihflow/base/subsets.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/theory/predictors.hpp"
#include "support/input_errors.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;
using gihflow::testing::input_error;

namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

// y of (2.1)–(2.3), position by position.
std::vector<double> predict(const Model& m, std::span<const Token> tokens, const Parameters& q) {
  const Index L = static_cast<Index>(tokens.size()) - 1, d = m.vocabulary;
  auto feature = [&](Index l, Index h) {  // v of position l, 0-based; tokens[l − lag]
    std::vector<double> v(at(d), 0.0);
    double total = 0.0;
    for (Index i = 0; i < m.window; ++i)
      if (l - m.lag(h, i) >= 0) total += std::exp(q.w[at(h * m.window + i)]);
    for (Index i = 0; i < m.window; ++i)
      if (l - m.lag(h, i) >= 0)
        v[tokens[at(l - m.lag(h, i))]] += std::exp(q.w[at(h * m.window + i)]) / total;
    if (m.head_normalization == HeadNormalization::l2) {
      const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0)) + 1e-7;
      for (double& x : v) x /= norm;
    }
    return v;
  };
  const std::vector<double> p = q.p();
  const auto sets = subsets(m.heads, m.degree);
  std::vector<double> y(at(d), 0.0);
  double total = 0.0;
  for (Index l = m.boundary == Boundary::masked ? m.widest() : 0; l < L; ++l) {
    double k = 0.0;
    for (std::size_t s = 0; s < sets.size(); ++s) {
      double product = p[s];
      for (const Index h : elements_of(sets[s])) {
        const auto u = feature(l, h - 1), v = feature(L, h - 1);
        product *= std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
      }
      k += product;
    }
    y[tokens[at(l)]] += std::exp(q.a * k);
    total += std::exp(q.a * k);
  }
  for (double& x : y) x /= total;
  return y;
}

SamplingOptions options(Index vocabulary, Index length, Index count) {
  SamplingOptions o;
  o.prior.vocabulary = vocabulary;
  o.length = length;
  o.count = count;
  o.purpose = Purpose::test;
  return o;
}

Parameters crooked(const Model& model) {
  Parameters q;
  q.window = model.window;
  q.heads = model.heads;
  q.degree = model.degree;
  std::vector<double> c;
  for (Index i = 0; i < model.subsets(); ++i)
    c.push_back(0.3 + 0.1 * std::sin(static_cast<double>(i)));
  q.set_c(c);
  for (Index i = 0; i < model.heads * model.window; ++i)
    q.w.push_back(std::cos(static_cast<double>(3 * i)));
  q.a = 2.5;
  return q;
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

TEST_CASE("predictions from window counts are those of every position, in every convention") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const HeadWindows windows : {HeadWindows::shared, HeadWindows::shifted})
      for (const auto norm : {HeadNormalization::none, HeadNormalization::l2})
        for (const Index d : {2, 3})
          for (const Index length : {7, 40}) {
            Model model{d, 2, 3, 2, boundary, windows, norm, Readout::log, 0.01};
            const auto source = sample_prior(options(d, length, 19));
            const Sequences sequences = collect(*source);
            const WindowSample sample(model, *source);
            CHECK(sample.chains() == 19);
            CHECK(sample.length() == length);
            const Parameters q = crooked(model);
            const auto y = sample.predict(sample.scores(q.p(), q.w), q.a);
            for (Index i = 0; i < 19; ++i) {
              const auto expected = predict(model, sequences.tokens_of(i), q);
              for (Index e = 0; e < d; ++e) CHECK(close(y[at(i * d + e)], expected[at(e)], 1000.0));
            }
            for (const std::vector<Index>& lags :
                 std::vector<std::vector<Index>>{{}, {1}, {2}, {1, 2}}) {
              const auto g = sample.gih(lags);
              for (Index i = 0; i < 19; ++i) {
                const auto expected = gih_predict(sequences.tokens_of(i), model, lags);
                for (Index e = 0; e < d; ++e)
                  CHECK(close(g[at(i * d + e)], expected[at(e)], 100.0));
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
      distance(sample.gih(lags), sample.predict(sample.scores(q.p(), q.w), q.a), 3, 0.0);
  CHECK(x.total_variation <= gihflow::testing::tolerance<double>(300));
  CHECK(x.kl <= gihflow::testing::tolerance<double>(300));
  CHECK(x.argmax_agreement == 1.0);
}

TEST_CASE("loss and its slope in a are the objective's, and the plateau is their minimum") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const Readout readout : {Readout::log, Readout::softmax}) {
      Model model{3,       2,   2, 2, boundary, HeadWindows::shared, HeadNormalization::none,
                  readout, 0.01};
      const auto source = sample_prior(options(3, 60, 200));
      const auto objective = make_objective(model, *source, Engine::reference);
      const WindowSample sample(model, *source);
      const Parameters q = crooked(model);
      const auto scores = sample.scores(q.p(), q.w);
      Gradient gradient;
      objective->gradient(point_of(q), gradient);
      CHECK(close(sample.loss(scores, q.a), gradient.loss, 1000.0));
      CHECK(close(sample.loss_slope(scores, q.a), gradient.a, 1000.0));
      const Plateau rest = plateau(sample, q.p(), q.w);
      REQUIRE(rest.a > 0.0);
      CHECK(rest.curvature > 0.0);
      CHECK(rest.loss == sample.loss(scores, rest.a));
      for (const double factor : {0.98, 1.02})
        CHECK(sample.loss(scores, factor * rest.a) > rest.loss);
    }
}

TEST_CASE("no plateau where the loss falls for ever") {
  // Tokens 0 1 0 1 …: matching lag 1 ever more sharply is right for ever.
  auto sequences = std::make_shared<Sequences>(
      Sequences{2, 10, 1, {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, {1.0, 0.0}, {1}});
  const Model model{
      2,   1, 1, 1, Boundary::masked, HeadWindows::shared, HeadNormalization::none, Readout::log,
      0.01};
  const WindowSample sample(model, *stored_sequences(sequences));
  const std::vector<double> p = {0.0, 1.0}, w = {0.0};
  CHECK(std::isnan(plateau(sample, p, w).a));
  (*sequences).targets = {0.0, 1.0};  // the other label: the loss rises from the start
  CHECK(std::isnan(plateau(WindowSample(model, *stored_sequences(sequences)), p, w).a));
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

TEST_CASE("the same bits for any number of threads") {
  const Model model;
  const auto source = sample_prior(options(3, 50, 101));
  auto result = [&] {
    const WindowSample sample(model, *source);
    const Parameters q = crooked(model);
    return sample.predict(sample.scores(q.p(), q.w), q.a);
  };
  std::vector<double> one, three;
  {
    gihflow::testing::Threads threads(1);
    one = result();
  }
  {
    gihflow::testing::Threads threads(3);
    three = result();
  }
  CHECK(one == three);
}

TEST_CASE("bad input") {
  Model model;
  const auto source = sample_prior(options(3, 20, 2));
  model.vocabulary = 4;
  model.window = 20;
  CHECK(input_error([&] { WindowSample(model, *source); }) ==
        "vocabulary 3 of the sequences: must be the model's, 4\n"
        "length 20: must be above the widest lag, 20, with boundary masked");
  const WindowSample sample(Model{}, *source);
  CHECK(input_error([&] { sample.gih(std::vector<Index>{4}); }) ==
        "parent set, lag 4: must be between 1 and the widest lag, 3");
}
