#include "population/model_tables.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <numeric>

#include "gihflow/base/subsets.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

const Model shifted{.vocabulary = 3,
                    .window = 3,
                    .heads = 3,
                    .degree = 2,
                    .boundary = Boundary::partial,
                    .head_windows = HeadWindows::shifted};

std::vector<Model> models() {
  Model shared = shifted;
  shared.head_windows = HeadWindows::shared;
  Model masked = shifted;
  masked.boundary = Boundary::masked;
  return {shifted, shared, masked, Model{.heads = 5, .degree = 5}, Model{.heads = 4, .degree = 0}};
}

/// Weights of a sum over σ that has nothing special about it.
double weight(std::size_t i) {
  return std::sin(1.0 + 1.7 * static_cast<double>(i));
}

}  // namespace

TEST_CASE("every subset but the empty one is its parent and one later head") {
  for (const Model& model : models()) {
    const ModelTables tables(model);
    const hot::ModelView view = tables.view();
    REQUIRE(tables.masks() == subsets(model.heads, model.degree));
    for (std::size_t i = 0; i < tables.masks().size(); ++i) {
      const std::uint32_t mask = tables.masks()[i];
      if (mask == 0) {
        CHECK(view.parent[i] == -1);
        CHECK(view.last[i] == -1);
        continue;
      }
      const std::uint32_t parent = tables.masks()[static_cast<std::size_t>(view.parent[i])];
      CHECK(mask == (parent | 1u << view.last[i]));
      CHECK(parent < 1u << view.last[i]);
    }
  }
}

TEST_CASE("each pattern's attention runs over the lags that exist in it (4.4)") {
  for (const Model& model : models()) {
    const ModelTables tables(model);
    const Point at = point_of(generic_point(model));
    const Attention attention = tables.attention(at, nullptr);
    const Index H = model.heads, M = model.window;
    REQUIRE(tables.patterns() == (model.boundary == Boundary::partial ? model.widest() + 1 : 1));
    for (Index pattern = 0; pattern < tables.patterns(); ++pattern) {
      // Pattern k: lags 1 … k exist; without partial windows all do.
      const Index longest = tables.patterns() == 1 ? model.widest() : pattern;
      for (Index h = 0; h < H; ++h) {
        double sum = 0.0;
        for (Index i = 0; i < M; ++i) {
          if (model.lag(h, i) <= longest)
            sum += std::exp(at.w[static_cast<std::size_t>(h * M + i)]);
        }
        for (Index i = 0; i < M; ++i) {
          const double found = attention.sigma[static_cast<std::size_t>((pattern * H + h) * M + i)];
          const double expected = model.lag(h, i) <= longest
                                      ? std::exp(at.w[static_cast<std::size_t>(h * M + i)]) / sum
                                      : 0.0;
          CHECK(close(found, expected, 10.0));
        }
      }
    }
  }
}

TEST_CASE("sums over chains become the derivatives of a function of p, sigma and a") {
  // For ℓ = Σ v·(a p) + Σ s·σ(w) + b·a the sums are v, s and the derivative in a; N = 1.
  for (const Model& model : models()) {
    const ModelTables tables(model);
    const std::size_t S = static_cast<std::size_t>(model.subsets());
    const Point at = point_of(generic_point(model)), along = direction_of(at);
    const auto value = [&](const Point& x) {
      const Attention attention = tables.attention(x, nullptr);
      double sum = 0.0;
      for (std::size_t i = 0; i < S; ++i) sum += x.a * x.p[i] * weight(i);
      for (std::size_t i = 0; i < attention.sigma.size(); ++i) {
        sum += weight(S + i) * attention.sigma[i];
      }
      return sum;
    };
    // Behind the values their derivatives along the direction: v and s are constants.
    std::vector<double> partial(2 * static_cast<std::size_t>(tables.sums()));
    for (std::size_t i = 0; i < S; ++i) partial[hot::partial_p + i] = weight(i);
    for (std::size_t i = hot::partial_p + S; i < static_cast<std::size_t>(tables.sums()); ++i) {
      partial[i] = weight(i - hot::partial_p);
    }
    partial[hot::partial_loss] = value(at);
    for (std::size_t i = 0; i < S; ++i) {
      partial[hot::partial_a] += at.p[i] * weight(i);
      partial[static_cast<std::size_t>(tables.sums()) + hot::partial_a] += along.p[i] * weight(i);
    }
    Gradient g, derivative;
    tables.gradient(partial.data(), 1.0, at, tables.attention(at, &along), &along, g, &derivative,
                    true);
    CHECK(g.loss == value(at));

    const double h = 1e-5;
    const auto quotient = [&](auto&& member) {
      Point left = at, right = at;
      member(left) -= h;
      member(right) += h;
      return (value(right) - value(left)) / (2 * h);
    };
    const double allowed = 1e-8;  // h² and rounding over h
    CHECK(std::abs(g.a - quotient([](Point& x) -> double& { return x.a; })) < allowed);
    for (std::size_t i = 0; i < S; ++i) {
      CHECK(std::abs(g.p[i] - quotient([&](Point& x) -> double& { return x.p[i]; })) < allowed);
    }
    for (std::size_t i = 0; i < at.w.size(); ++i) {
      CHECK(std::abs(g.w[i] - quotient([&](Point& x) -> double& { return x.w[i]; })) < allowed);
    }
    // The derivative along the direction is that of the gradient.
    const auto gradient_at = [&](double step) {
      Point moved = at;
      for (std::size_t i = 0; i < S; ++i) moved.p[i] += step * along.p[i];
      for (std::size_t i = 0; i < at.w.size(); ++i) moved.w[i] += step * along.w[i];
      moved.a += step * along.a;
      std::vector<double> sums(partial.begin(), partial.begin() + tables.sums());
      sums[hot::partial_a] = 0.0;
      for (std::size_t i = 0; i < S; ++i) sums[hot::partial_a] += moved.p[i] * weight(i);
      Gradient out;
      tables.gradient(sums.data(), 1.0, moved, tables.attention(moved, nullptr), nullptr, out,
                      nullptr, true);
      return out;
    };
    const Gradient right = gradient_at(h), left = gradient_at(-h);
    CHECK(std::abs(derivative.a - (right.a - left.a) / (2 * h)) < allowed);
    for (std::size_t i = 0; i < S; ++i) {
      CHECK(std::abs(derivative.p[i] - (right.p[i] - left.p[i]) / (2 * h)) < allowed);
    }
    for (std::size_t i = 0; i < at.w.size(); ++i) {
      CHECK(std::abs(derivative.w[i] - (right.w[i] - left.w[i]) / (2 * h)) < allowed);
      CHECK(std::abs(derivative.attention[i] - (right.attention[i] - left.attention[i]) / (2 * h)) <
            allowed);
    }
  }
}
