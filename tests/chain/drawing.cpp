#include "chain/drawing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "gihflow/base/random.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/chain/distributions.hpp"

using namespace gihflow;

namespace {

constexpr double shapes[] = {1e-300, 1e-20, 0.01, 0.1, 0.999, 1.0, 2.5, 40.0, 1e12, 1e300};

Stream test_stream(Index chain) {
  return {20261128, Purpose::test, Variate::kernel, chain};
}

std::vector<std::string> runnable_sets() {
  std::vector<std::string> sets{"baseline"};
  if (instruction_set() != "baseline") sets.push_back("avx2");
  if (instruction_set() == "avx512") sets.push_back("avx512");
  return sets;
}

std::vector<std::uint64_t> test_fractions(Index chain, std::size_t held) {
  std::vector<std::uint64_t> fractions(held + hot::read_beyond);
  test_stream(chain).fractions(fractions);
  return fractions;
}

// Log-gamma variate by the same law with functions of the C library, one uniform after the other.
double plain_log_gamma(Stream& stream, double shape) {
  const double delta = (shape >= 1.0 ? shape : shape + 1.0) - 1.0 / 3.0;
  for (;;) {
    const double length = std::sqrt(-2.0 * std::log(stream.uniform())),
                 x = length * std::cos(2.0 * std::numbers::pi * stream.uniform()),
                 u = stream.uniform(), root = 1.0 + x / std::sqrt(9.0 * delta);
    if (root <= 0.0) continue;
    const double v = root * root * root, log_v = 3.0 * std::log(root);
    const bool squeezed = u < 1.0 - 0.0331 * (x * x) * (x * x);
    if (!squeezed && std::log(u) >= 0.5 * x * x + delta * (1.0 - v + log_v)) continue;
    const double above = std::log(delta) + log_v;
    return shape >= 1.0 ? above : above + std::log(stream.uniform()) / shape;
  }
}

}  // namespace

TEST_CASE("variates drawn in packs are those drawn one by one, from the same uniforms") {
  Index chain = 0;
  for (const double shape : shapes) {
    for (const std::size_t count : {1u, 7u, 8u, 27u, 1000u}) {
      CAPTURE(shape);
      CAPTURE(count);
      Stream stream = test_stream(++chain), plain = stream, single = stream;
      std::vector<double> variates(count);
      log_gamma_variates(stream, shape, variates);
      for (const double variate : variates) {
        CHECK(log_gamma_variate(single, shape) == variate);
        const double expected = plain_log_gamma(plain, shape);
        CHECK(std::abs(variate - expected) <= 4e-15 * std::max(1.0, std::abs(expected)));
      }
      const std::uint64_t next = stream.bits();
      CHECK(single.bits() == next);
      CHECK(plain.bits() == next);
    }
  }
}

TEST_CASE("variates end where the next one may lack a uniform") {
  for (const double shape : {0.1, 2.0}) {
    const hot::DrawingFunctions& draw = drawing_functions(instruction_set());
    const hot::GammaLaw law = draw.gamma_law(shape);
    std::vector<double> all(100);
    const std::vector<std::uint64_t> fractions = test_fractions(50, 500);
    draw.log_gamma(law, fractions.data(), 500, all.data(), all.size());
    for (std::size_t held = 0; held < 300; ++held) {
      std::vector<double> some(all.size(), 7.0);
      const hot::Drawn drawn =
          draw.log_gamma(law, fractions.data(), held, some.data(), some.size());
      CHECK(drawn.uniforms <= held);
      CHECK(held - drawn.uniforms < hot::uniforms_of_variate(shape));
      const auto end = some.begin() + static_cast<Index>(drawn.variates);
      CHECK(std::equal(some.begin(), end, all.begin()));
      CHECK(std::all_of(end, some.end(), [](double x) { return x == 7.0; }));
    }
  }
}

TEST_CASE("every instruction set draws the same bits") {
  const hot::DrawingFunctions& own = drawing_functions("baseline");
  for (const std::string& set : runnable_sets()) {
    CAPTURE(set);
    const hot::DrawingFunctions& other = drawing_functions(set);
    Stream stream = test_stream(60);
    for (int i = 0; i < 1000; ++i) {
      const double u = stream.uniform(), v = stream.uniform();
      CHECK(own.normal(u, v) == other.normal(u, v));
    }
    Index chain = 61;
    for (const double shape : shapes) {
      CAPTURE(shape);
      for (const std::size_t d : {2u, 3u, 10u, 501u}) {
        const std::vector<std::uint64_t> fractions = test_fractions(chain++, 4000);
        std::vector<double> a(2 * d), b(2 * d);
        const hot::Drawn x =
            own.log_gamma(own.gamma_law(shape), fractions.data(), 4000, a.data(), a.size());
        const hot::Drawn y =
            other.log_gamma(other.gamma_law(shape), fractions.data(), 4000, b.data(), b.size());
        CHECK(x.variates == y.variates);
        CHECK(x.uniforms == y.uniforms);
        CHECK(a == b);
        own.normalise(a.data(), d, a.size());
        other.normalise(b.data(), d, b.size());
        CHECK(a == b);
      }
    }
  }
}
