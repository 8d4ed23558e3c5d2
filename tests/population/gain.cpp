#include "gihflow/population/gain.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gihflow/chain/stationary.hpp"
#include "gihflow/population/infinite.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Kernels kernels_of(Index vocabulary, std::vector<Index> parents, Index count, double alpha) {
  return draw_kernels({.vocabulary = vocabulary, .parents = std::move(parents), .alpha = alpha}, 3,
                      Purpose::test, count);
}

/// One-hot attention: head h on component own[h].
PlainBlocks one_hot(const Model& model, const std::vector<Index>& own) {
  PlainBlocks at = zero_blocks(model);
  for (std::size_t h = 0; h < own.size(); ++h)
    at.w[h * static_cast<std::size_t>(model.window) + static_cast<std::size_t>(own[h])] = 1000.0;
  return at;
}

/// Ĩ({1}), Ĩ({2}), Ĩ({1,2}) of (6.2) for chains whose parents lie among the last two tokens.
std::vector<double> modified_information(const Kernels& kernels) {
  const auto d = static_cast<std::size_t>(kernels.vocabulary);
  std::vector<double> mean(3);
  for (Index i = 0; i < kernels.count; ++i) {
    // Three consecutive tokens, the newest the most significant digit.
    const auto law =
        stationary_window_law(kernels.of_chain(i), kernels.vocabulary, kernels.parents, 3);
    std::vector<double> token(d);
    for (std::size_t x = 0; x < law.size(); ++x) token[x / (d * d)] += law[x];
    for (int set = 0; set < 3; ++set) {
      const std::size_t windows = set == 2 ? d * d : d;
      std::vector<double> joint(windows * d), window(windows);
      for (std::size_t x = 0; x < law.size(); ++x) {
        const std::size_t first = x / d % d, second = x % d;
        const std::size_t z = set == 0 ? first : set == 1 ? second : first * d + second;
        joint[z * d + x / (d * d)] += law[x];
        window[z] += law[x];
      }
      for (std::size_t z = 0; z < windows; ++z) {
        double chi_square = -1.0;
        for (std::size_t e = 0; e < d; ++e)
          chi_square += joint[z * d + e] * joint[z * d + e] / (window[z] * window[z] * token[e]);
        mean[static_cast<std::size_t>(set)] +=
            window[z] * window[z] * chi_square / static_cast<double>(kernels.count);
      }
    }
  }
  return mean;
}

std::vector<std::unique_ptr<Objective>> objectives() {
  const Model masked{.window = 2, .heads = 2};
  Model partial = masked;
  partial.boundary = Boundary::partial;
  Model published{.window = 2,
                  .heads = 2,
                  .boundary = Boundary::partial,
                  .head_windows = HeadWindows::shifted,
                  .head_normalization = HeadNormalization::l2,
                  .readout = Readout::softmax};
  Model normalised = masked;
  normalised.head_normalization = HeadNormalization::l2;
  const auto source = sample_prior(sampling(40, 30));
  std::vector<std::unique_ptr<Objective>> all;
  for (const Model& model : {masked, partial, published, normalised}) {
    all.push_back(make_objective(model, *source, Engine::dense));
    all.push_back(make_objective(model, *source, Engine::sparse));
    all.push_back(make_infinite_objective(model, kernels_of(3, {1, 2}, 5, 0.3)));
  }
  return all;
}

}  // namespace

TEST_CASE("at one-hot attention and epsilon 0 the gain of a set is its modified information") {
  const Kernels kernels = kernels_of(3, {1, 2}, 300, 0.1);
  Model model{.window = 2, .heads = 2, .epsilon = 0.0};
  const auto start = one_hot(model, {0, 1});
  const auto exact = modified_information(kernels);
  const auto gain = selection_gain(*make_infinite_objective(model, kernels), start);
  REQUIRE(gain.size() == 4);
  CHECK(std::abs(gain[0]) <= tolerance<double>(16));
  for (std::size_t s = 0; s < 3; ++s) CHECK(std::abs(gain[s + 1] - exact[s]) <= 1e-12);
  // The paper's ε lowers it by a few percent.
  model.epsilon = 0.01;
  const auto lowered = selection_gain(*make_infinite_objective(model, kernels), start);
  for (std::size_t s = 1; s < 4; ++s) {
    CAPTURE(1.0 - lowered[s] / gain[s]);
    CHECK(lowered[s] < 0.985 * gain[s]);
    CHECK(lowered[s] > 0.95 * gain[s]);
  }
}

TEST_CASE("the gain is the derivative of the gradient in p at a = 0") {
  for (const auto& objective : objectives()) {
    CAPTURE(objective->engine());
    Point at = point_of(generic_point(objective->model()));
    const auto gain = selection_gain(*objective, at);
    Gradient above, below;
    const double step = 1e-4;
    at.a = step;
    objective->gradient(at, above);
    at.a = -step;
    objective->gradient(at, below);
    std::vector<double> numeric;
    for (std::size_t s = 0; s < gain.size(); ++s)
      numeric.push_back(-(above.p[s] - below.p[s]) / (2.0 * step));
    CHECK(relative_difference(numeric, gain) <= 1e-6);
  }
}

TEST_CASE("the slope of the gain in attention") {
  for (const auto& objective : objectives()) {
    CAPTURE(objective->engine());
    const Model& model = objective->model();
    const Parameters parameters = generic_point(model);
    const auto sigma = parameters.attention();
    for (Index subset = 0; subset < model.subsets(); ++subset) {
      CAPTURE(subset);
      // Anywhere: σ·∂G/∂σ = ∂G/∂w.
      std::vector<double> slope = selection_gain_slope(*objective, parameters, subset), numeric;
      const double step = 1e-5;
      for (std::size_t i = 0; i < sigma.size(); ++i) {
        slope[i] *= sigma[i];
        PlainBlocks at = parameters;
        at.w[i] += step;
        double difference = selection_gain(*objective, at)[static_cast<std::size_t>(subset)];
        at.w[i] -= 2.0 * step;
        difference -= selection_gain(*objective, at)[static_cast<std::size_t>(subset)];
        numeric.push_back(difference / (2.0 * step));
      }
      double scale = 0.0;
      for (double x : selection_gain(*objective, parameters)) scale = std::max(scale, std::abs(x));
      for (std::size_t i = 0; i < sigma.size(); ++i)
        CHECK(std::abs(slope[i] - numeric[i]) <= 1e-7 * scale);

      // At one-hot attention: a share δ of a head's attention moved to another lag.
      const std::vector<Index> own = model.head_windows == HeadWindows::shared
                                         ? std::vector<Index>{0, 1}
                                         : std::vector<Index>{0, 0};
      const auto start = one_hot(model, own);
      const auto at_one_hot = selection_gain_slope(*objective, start, subset);
      const double share = 1e-6;
      for (std::size_t h = 0; h < 2; ++h)
        for (std::size_t j = 0; j < 2; ++j) {
          const auto o = static_cast<std::size_t>(own[h]);
          if (j == o) continue;
          // Partial windows without the own lag attend to the other one at any δ: no derivative
          // there.
          PlainBlocks moved = start;
          moved.w[h * 2 + o] = 0.0;
          moved.w[h * 2 + j] = std::log(share / (1.0 - share));
          const double change =
              selection_gain(*objective, moved)[static_cast<std::size_t>(subset)] -
              selection_gain(*objective, start)[static_cast<std::size_t>(subset)];
          CHECK(std::abs(change / share - (at_one_hot[h * 2 + j] - at_one_hot[h * 2 + o])) <=
                2e-5 * scale);
        }
    }
  }
}

TEST_CASE("the derivative in attention, and how it changes along a direction, in every engine") {
  auto all = objectives();
  // Windows of which two of three lags exist.
  const Model wide{.window = 3, .heads = 2, .boundary = Boundary::partial};
  all.push_back(make_objective(wide, *sample_prior(sampling(40, 6))));
  for (const auto& objective : all) {
    CAPTURE(objective->engine());
    const Parameters parameters = generic_point(objective->model());
    const auto sigma = parameters.attention();
    const Point at = point_of(parameters);
    Point along = at;
    for (std::size_t i = 0; i < along.w.size(); ++i)
      along.w[i] = std::cos(2.0 * static_cast<double>(i));
    Gradient g, derivative, above, below;
    objective->gradient_along(at, along, g, derivative);
    const double step = 1e-5;
    auto moved = [&](double distance) {
      Point there = at;
      for (std::size_t i = 0; i < at.p.size(); ++i) there.p[i] += distance * along.p[i];
      for (std::size_t i = 0; i < at.w.size(); ++i) there.w[i] += distance * along.w[i];
      there.a += distance * along.a;
      return there;
    };
    objective->gradient(moved(step), above, false);
    objective->gradient(moved(-step), below, false);
    std::vector<double> w, numeric;
    for (std::size_t i = 0; i < sigma.size(); ++i) {
      w.push_back(sigma[i] * g.attention[i]);
      numeric.push_back((above.attention[i] - below.attention[i]) / (2.0 * step));
    }
    CHECK(relative_difference(w, g.w) <= tolerance<double>(64));
    CHECK(relative_difference(numeric, derivative.attention) <= 1e-8);
  }
}
