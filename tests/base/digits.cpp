#include "gihflow/base/digits.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::input_error;

TEST_CASE("powers are exact and stop at 2^62") {
  CHECK(power(3, 0, "x") == 1);
  CHECK(power(3, 4, "x") == 81);
  CHECK(power(1, 1'000'000'000'000, "x") == 1);
  CHECK(power(0, 3, "x") == 0);
  CHECK(power(2, 62, "x") == Index{1} << 62);
  CHECK(input_error([] { power(2, 63, "contexts"); }) == "contexts 2^63: must not exceed 2^62");
  CHECK(input_error([] { power(65535, 4, "windows"); }) == "windows 65535^4: must not exceed 2^62");
}

TEST_CASE("digits come from the most significant on, with leading zeros") {
  std::vector<Token> digits(4);
  digits_of(2 * 27 + 0 * 9 + 1 * 3 + 2, 3, digits);
  CHECK(digits == std::vector<Token>{2, 0, 1, 2});
  digits_of(65535, 65536, digits);
  CHECK(digits == std::vector<Token>{0, 0, 0, 65535});
}
