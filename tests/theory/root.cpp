#include "theory/root.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/tolerance.hpp"

using gihflow::root;
using gihflow::testing::close;

TEST_CASE("roots to 44 bits, at an end of the bracket exactly") {
  CHECK(std::abs(root([](double x) { return x * x - 2.0; }, 0.0, 2.0) / std::sqrt(2.0) - 1.0) <
        0x1p-43);
  CHECK(std::abs(root([](double x) { return 1.0 - std::exp(x); }, -700.0, 0.3)) < 1e-12);
  CHECK(root([](double x) { return x - 3.0; }, 3.0, 5.0) == 3.0);
  CHECK(root([](double x) { return x - 3.0; }, 1.0, 3.0) == 3.0);
}

TEST_CASE("no root without a change of sign") {
  CHECK(std::isnan(root([](double x) { return x * x + 1.0; }, -1.0, 1.0)));
  CHECK(std::isnan(root([](double x) { return x < 0.5 ? std::nan("") : 1.0; }, 0.0, 1.0)));
}
