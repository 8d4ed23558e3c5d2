#include "theory/lattice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace gihflow;

TEST_CASE(
    "lattice kernels have the moments of Beta(alpha, alpha) in both rows, without correlation") {
  for (const double alpha : {0.3, 1.0, 5.0}) {
    CAPTURE(alpha);
    const Kernels kernels = lattice_kernels(alpha);
    validate(kernels, "kernels");
    REQUIRE(kernels.contexts() == 2);
    const double n = static_cast<double>(kernels.count);
    double mean[2] = {}, square[2] = {}, mixed = 0.0;
    std::vector<double> first[2];
    for (Index i = 0; i < kernels.count; ++i) {
      const auto kernel = kernels.of_chain(i);
      for (std::size_t row = 0; row < 2; ++row) {
        const double x = kernel[2 * row] - 0.5;
        mean[row] += x / n;
        square[row] += x * x / n;
        first[row].push_back(kernel[2 * row]);
      }
      mixed += (kernel[0] - 0.5) * (kernel[2] - 0.5) / n;
    }
    const double variance = 0.25 / (2.0 * alpha + 1.0);
    for (std::size_t row = 0; row < 2; ++row) {
      CHECK(std::abs(mean[row]) < 1e-12);
      CHECK(std::abs(square[row] / variance - 1.0) < 1e-3);
      std::ranges::sort(first[row]);
    }
    CHECK(std::abs(mixed) < 2e-3 * variance);
    CHECK(first[0] == first[1]);  // the same quantiles, each once
  }
}

TEST_CASE("quantiles of the uniform law are the midpoints of a grid") {
  const Kernels kernels = lattice_kernels(1.0);
  for (Index i = 0; i < kernels.count; ++i)
    CHECK(std::abs(kernels.of_chain(i)[0] -
                   (static_cast<double>(i) + 0.5) / static_cast<double>(kernels.count)) < 1e-12);
}
