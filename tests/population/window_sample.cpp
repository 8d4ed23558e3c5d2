#include "gihflow/population/window_sample.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "gihflow/base/subsets.hpp"
#include "gihflow/population/objective.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;
using gihflow::testing::generic_point;
using gihflow::testing::input_error;
using gihflow::testing::sampling;

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

SamplingOptions of(Index vocabulary, Index length) {
  SamplingOptions options = sampling(19, length);
  options.prior.vocabulary = vocabulary;
  return options;
}

}  // namespace

TEST_CASE("predictions from window counts are those of every position, in every convention") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const HeadWindows windows : {HeadWindows::shared, HeadWindows::shifted})
      for (const auto norm : {HeadNormalization::none, HeadNormalization::l2})
        for (const Index d : {2, 3})
          for (const Index length : {7, 40}) {
            Model model{d, 2, 3, 2, boundary, windows, norm, Readout::log, 0.01};
            const auto source = sample_prior(of(d, length));
            const Sequences sequences = collect(*source);
            const WindowSample sample(model, *source);
            CHECK(sample.chains() == 19);
            CHECK(sample.length() == length);
            const Parameters q = generic_point(model, 2.5);
            const auto y = sample.predict(sample.scores(point_of(q)), q.a);
            for (Index i = 0; i < 19; ++i) {
              const auto expected = predict(model, sequences.tokens_of(i), q);
              for (Index e = 0; e < d; ++e) CHECK(close(y[at(i * d + e)], expected[at(e)], 1000.0));
            }
          }
}

TEST_CASE("loss of the predictions is the objective's") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const Readout readout : {Readout::log, Readout::softmax}) {
      const Model model{3,       2,   2, 2, boundary, HeadWindows::shared, HeadNormalization::none,
                        readout, 0.01};
      const auto source = sample_prior(sampling(200, 60));
      const Sequences sequences = collect(*source);
      const WindowSample sample(model, *source);
      const Parameters q = generic_point(model);
      std::vector<double> y = sample.predict(sample.scores(point_of(q)), q.a);
      double loss = 0.0;
      for (Index i = 0; i < 200; ++i) {
        const std::span out = std::span(y).subspan(at(3 * i), 3);
        double normalizer = 1.0 + 3.0 * model.epsilon;
        if (readout == Readout::softmax) {
          normalizer = 0.0;
          for (double& x : out) normalizer += x = std::exp(x);
        }
        for (std::size_t e = 0; e < 3; ++e)
          loss -= sequences.targets_of(i)[e] *
                  std::log((out[e] + (readout == Readout::log ? model.epsilon : 0.0)) / normalizer);
      }
      CHECK(close(loss / 200.0, make_objective(model, *source)->loss(point_of(q)), 1000.0));
    }
}

TEST_CASE("the same bits for any number of threads") {
  const Model model;
  const auto source = sample_prior(sampling(101, 50));
  auto result = [&] {
    const WindowSample sample(model, *source);
    const Parameters q = generic_point(model);
    return sample.predict(sample.scores(point_of(q)), q.a);
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
  const auto source = sample_prior(sampling(2, 20));
  model.vocabulary = 4;
  model.window = 20;
  CHECK(input_error([&] { WindowSample(model, *source); }) ==
        "vocabulary 3 of the sequences: must be the model's, 4\n"
        "length 20: must be above the widest lag, 20, with boundary masked");
  const WindowSample sample(Model{}, *source);
  CHECK(input_error([&] { sample.gih(std::vector<Index>{4}); }) ==
        "parent set, lag 4: must be between 1 and the widest lag, 3");
}
