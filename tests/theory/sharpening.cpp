#include "gihflow/theory/sharpening.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/stationary.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;
using gihflow::testing::generic_point;
using gihflow::testing::sampling;

namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Kernels kernels(double alpha, std::vector<Index> parents, Index count, Index vocabulary = 3,
                double floor = 0.0) {
  return draw_kernels({vocabulary, std::move(parents), alpha, floor}, 5, Purpose::test, count);
}

// 𝓛(a) of stage III from its definition: T = μ(·|z), y(e) ∝ Σ_z' μ(z', e) e^{a·1(z' = z)}.
double loss(const ContextLaws& laws, double a, double epsilon) {
  double total = 0.0;
  const Index n = laws.contexts, d = laws.vocabulary;
  for (Index i = 0; i < laws.chains; ++i)
    for (Index z = 0; z < n; ++z)
      for (Index e = 0; e < d; ++e) {
        double weight = 0.0, sum = 0.0;
        for (Index x = 0; x < n; ++x) {
          const double grown = laws.context[at(i * n + x)] * (x == z ? std::exp(a) : 1.0);
          sum += grown;
          weight += grown * laws.conditional[at((i * n + x) * d + e)];
        }
        const double label = laws.conditional[at((i * n + z) * d + e)];
        if (label > 0.0)
          total -= laws.context[at(i * n + z)] * label *
                   std::log((weight / sum + epsilon) / (1.0 + static_cast<double>(d) * epsilon));
      }
  return total / static_cast<double>(laws.chains);
}

}  // namespace

TEST_CASE("context laws: a chain of order one, of its own parents and of others") {
  Kernels k = kernels(1.0, {1}, 3);
  const ContextLaws own = context_laws(k, std::vector<Index>{1});
  const ContextLaws second = context_laws(k, std::vector<Index>{2});
  for (Index i = 0; i < 3; ++i) {
    const auto pi = k.of_chain(i);
    const auto mu = stationary_law({pi.begin(), pi.end()}, 3);
    for (Index z = 0; z < 3; ++z) {
      CHECK(close(own.context[at(i * 3 + z)], mu[at(z)], 100));
      CHECK(close(own.token[at(i * 3 + z)], mu[at(z)], 100));
      for (Index e = 0; e < 3; ++e) {
        CHECK(close(own.conditional[at((i * 3 + z) * 3 + e)], pi[at(z * 3 + e)], 100));
        double two_steps = 0.0;
        for (Index x = 0; x < 3; ++x) two_steps += pi[at(z * 3 + x)] * pi[at(x * 3 + e)];
        CHECK(close(second.conditional[at((i * 3 + z) * 3 + e)], two_steps, 100));
      }
    }
  }
}

TEST_CASE("the nearest lag is the most significant digit, gaps between lags are summed out") {
  const Kernels k = kernels(0.7, {1, 3}, 2, 2);
  const ContextLaws laws = context_laws(k, std::vector<Index>{1, 3});
  for (Index i = 0; i < 2; ++i)
    for (Index z = 0; z < 4; ++z)
      for (Index e = 0; e < 2; ++e)
        CHECK(close(laws.conditional[at((i * 4 + z) * 2 + e)], k.of_chain(i)[at(z * 2 + e)], 100));
}

TEST_CASE("the rate is minus the slope of the loss, for parents and for other sets") {
  for (const double alpha : {0.1, 1.0})
    for (const double epsilon : {0.0, 0.01})
      for (const std::vector<Index>& lags :
           std::vector<std::vector<Index>>{{1, 2}, {2}, {1, 3}, {}}) {
        const ContextLaws laws = context_laws(kernels(alpha, {1, 2}, 40), lags);
        for (const double a : {0.0, 1.0, 4.0}) {
          const double h = 1e-4;
          const double slope = (loss(laws, a + h, epsilon) - loss(laws, a - h, epsilon)) / (2 * h);
          CHECK(std::abs(sharpening_rate(laws, a, epsilon) + slope) <
                1e-7 * std::abs(slope) + 1e-11);
        }
      }
}

TEST_CASE("time and growth are each other's inverse, and time is the integral") {
  const ContextLaws laws = context_laws(kernels(0.5, {1}, 50), std::vector<Index>{1});
  for (const double epsilon : {0.0, 0.01}) {
    const double t = sharpening_time(laws, 0.01, 5.3, epsilon);
    CHECK(close(sharpening_at(laws, 0.01, t, epsilon), 5.3, 1.0, 1e-8 / 2e-16));
    double sum = 0.0;  // Simpson
    const int n = 2000;
    for (int i = 0; i <= n; ++i)
      sum += (i == 0 || i == n ? 1
              : i % 2          ? 4
                               : 2) /
             sharpening_rate(laws, 0.01 + (5.3 - 0.01) * i / n, epsilon);
    CHECK(close(t, sum * (5.3 - 0.01) / n / 3, 1.0, 1e-8 / 2e-16));
  }
  CHECK(sharpening_at(laws, 0.01, 0.0, 0.01) == doctest::Approx(0.01));
}

TEST_CASE("growth for large a follows the constants") {
  const ContextLaws laws = context_laws(kernels(2.0, {1, 2}, 300), std::vector<Index>{1, 2});
  const double slow = slow_growth_constant(laws, 0.01), fast = fast_growth_constant(laws);
  CHECK(std::abs(std::exp(16.0) * sharpening_rate(laws, 16.0, 0.01) / slow - 1.0) < 1e-3);
  CHECK(std::abs(std::exp(32.0) * sharpening_rate(laws, 16.0, 0.0) / fast - 1.0) < 1e-2);
  CHECK(growth_exponent(0.3, 0.0) == 1.3);
  CHECK(growth_exponent(5.0, 0.0) == 2.0);
  CHECK(growth_exponent(std::numeric_limits<double>::infinity(), 0.0) == 2.0);
  CHECK(growth_exponent(0.3, 0.01) == 1.0);
}

TEST_CASE("independent tokens: nothing to match, a rests") {
  const ContextLaws laws = context_laws(kernels(0.5, {}, 5), std::vector<Index>{1});
  CHECK(std::abs(sharpening_rate(laws, 2.0, 0.01)) < 1e-15);
}

TEST_CASE("a stops where the constant of slow growth is negative") {
  const ContextLaws laws = context_laws({2, {1}, 1, {0.99, 0.01, 0.6, 0.4}}, std::vector<Index>{1});
  CHECK(sharpening_rate(laws, 0.0, 1.0) > 0.0);
  CHECK(slow_growth_constant(laws, 1.0) < 0.0);
  CHECK(std::isinf(sharpening_time(laws, 0.0, 50.0, 1.0)));
  const double stop = sharpening_at(laws, 0.0, 1e6, 1.0);
  CHECK(sharpening_rate(laws, stop - 1e-3, 1.0) > 0.0);
  CHECK(sharpening_rate(laws, stop + 1e-3, 1.0) < 0.0);
}

TEST_CASE("the plateau of a is a minimum of the loss") {
  for (const Boundary boundary : {Boundary::masked, Boundary::partial})
    for (const Readout readout : {Readout::log, Readout::softmax}) {
      Model model{3,       2,   2, 2, boundary, HeadWindows::shared, HeadNormalization::none,
                  readout, 0.01};
      if (readout == Readout::softmax) {  // and every block that a model may have
        model.scores = Scores::tokens;
        model.values = HeadValues::matrix;
        model.head_normalization = HeadNormalization::layer;
      }
      const auto objective = make_objective(model, *sample_prior(sampling(200, 60)));
      Point at = point_of(generic_point(model));
      const Plateau rest = plateau(*objective, at);
      REQUIRE(rest.a > 0.0);
      CHECK(rest.curvature > 0.0);
      at.a = rest.a;
      CHECK(rest.loss == objective->loss(at));
      for (const double factor : {0.98, 1.02}) {
        at.a = factor * rest.a;
        CHECK(objective->loss(at) > rest.loss);
      }
      // ½𝓛''(a*)x² is what the loss rises by.
      const double x = 0.005;
      at.a = rest.a + x;
      double rise = objective->loss(at) - rest.loss;
      at.a = rest.a - x;
      rise += objective->loss(at) - rest.loss;
      CHECK(std::abs(rise / (rest.curvature * x * x) - 1.0) < 1e-3);
    }
}

TEST_CASE("in long contexts the plateau is log L above a constant of the kernels") {
  Model model;
  model.epsilon = 0.0;
  SamplingOptions options = sampling(3000);
  options.prior.alpha = 2.0;
  const auto set = static_cast<Index>(4);  // {1,2}
  Point sharp(std::vector<double>(7, 0.0), zero_blocks(model));
  sharp.p[at(set)] = 1.0;
  for (Index h = 0; h < 3; ++h) sharp.w[at(4 * h)] = 1000.0;
  const Kernels drawn = draw_kernels(options.prior, options.seed, options.purpose, options.count);
  const ContextLaws laws = context_laws(drawn, drawn.parents);
  for (const Index length : {300, 1000}) {
    options.length = length;
    const double predicted = long_context_plateau(laws, length - 3, 0.0);
    const auto objective = make_objective(model, *sample_prior(options));
    CHECK(std::abs(plateau(*objective, sharp).a - predicted) < 0.15);
    CHECK(std::abs(long_context_plateau(laws, 2 * (length - 3), 0.0) - predicted - std::log(2.0)) <
          1e-12);
    // Smoothing takes over where contexts are long enough.
    CHECK(long_context_plateau(laws, length - 3, 0.001) > predicted);
    CHECK(std::isinf(long_context_plateau(laws, 100000000, 0.01)));
  }
}

TEST_CASE("no plateau where the loss falls for ever") {
  // Tokens 0 1 0 1 …: matching lag 1 ever more sharply is right for ever.
  auto sequences = std::make_shared<Sequences>(
      Sequences{2, 10, 1, {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, {1.0, 0.0}, {1}});
  const Model model{
      2,   1, 1, 1, Boundary::masked, HeadWindows::shared, HeadNormalization::none, Readout::log,
      0.01};
  const auto rest = [&] {
    return plateau(*make_objective(model, *stored_sequences(sequences)), {{0.0, 1.0}, {0.0}, 0.0});
  };
  CHECK(std::isnan(rest().a));
  sequences->targets = {0.0, 1.0};  // the other label: the loss rises from the start
  CHECK(std::isnan(rest().a));
}
