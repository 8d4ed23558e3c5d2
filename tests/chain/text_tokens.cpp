#include "gihflow/chain/text_tokens.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/input_errors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("the most frequent characters of a text are tokens, all others the last one") {
  const TextTokens text = tokens_of_text("éaéabéc\r\n€b", 3);
  CHECK(text.alphabet == std::vector<std::string>{"é", "a"});  // 3, then a before b, 2 each
  CHECK(text.tokens == std::vector<Token>{0, 1, 0, 1, 2, 0, 2, 2, 2, 2, 2});
  const TextTokens all = tokens_of_text("abab", 2);
  CHECK(all.alphabet == std::vector<std::string>{"a"});
  CHECK(all.tokens == std::vector<Token>{0, 1, 0, 1});
}

TEST_CASE("kernels count contexts and tokens of each passage, smoothed") {
  const TextTokens text = tokens_of_text(
      "aabab"
      "bbbab"
      "a",
      2);
  const Kernels two = kernels_of_text(text, {1}, 0.5, 5);
  REQUIRE(two.count == 2);  // the last character is left over
  // aabab: aa 1, ab 2, ba 1. bbbab: b b b a b: bb 2, ba 1, ab 1. Token 0 is b, of 6 against 5.
  CHECK(text.alphabet.front() == "b");
  const auto expect = [](std::span<const double> kernel, double bb, double ba, double ab,
                         double aa) {
    CHECK(close(kernel[0], (bb + 0.5) / (bb + ba + 1.0), 4));
    CHECK(close(kernel[1], (ba + 0.5) / (bb + ba + 1.0), 4));
    CHECK(close(kernel[2], (ab + 0.5) / (ab + aa + 1.0), 4));
    CHECK(close(kernel[3], (aa + 0.5) / (ab + aa + 1.0), 4));
  };
  expect(two.of_chain(0), 0, 1, 2, 1);
  expect(two.of_chain(1), 2, 1, 1, 0);
  const Kernels one = kernels_of_text(text, {1}, 0.5, 0);
  REQUIRE(one.count == 1);
  expect(one.of_chain(0), 3, 3, 3, 1);
  CHECK(kernels_of_text(text, {1, 3}, 0.5, 0).values.size() == 8);
  CHECK_NOTHROW(validate(kernels_of_text(text, {2, 3}, 0.1, 5), "kernels"));
}

TEST_CASE("passages of a text are sequences") {
  const TextTokens text = tokens_of_text("abcabcabcabc", 3);
  const Sequences sequences = passages_of_text(text, 3, 1, 2);
  CHECK(sequences.count == 2);
  CHECK(sequences.tokens == std::vector<Token>{1, 2, 0, 1, 2, 0, 1, 2});
  CHECK_NOTHROW(stored_sequences(std::make_shared<Sequences>(sequences)));
}

TEST_CASE("texts that are none, or too poor, are refused") {
  CHECK(input_error([] { tokens_of_text("a\xff", 2); }) == "text: must be UTF-8");
  CHECK(input_error([] { tokens_of_text("aaa", 2); }) ==
        "text: must have at least two different characters");
  CHECK(input_error([] { tokens_of_text("aba", 3); }) ==
        "vocabulary 3: must be at most the number of different characters of the text, 2");
  const TextTokens text = tokens_of_text("abcabc", 2);
  CHECK(input_error([&] {
          kernels_of_text(text, {1, 3}, 0.1, 3);
        }) ==
        "passage 3: must be above the longest parent lag, 3, and at most the text's 6 characters");
  CHECK(input_error([&] { kernels_of_text(text, {1}, 0.1, 7); }) ==
        "passage 7: must be above the longest parent lag, 1, and at most the text's 6 characters");
  CHECK(input_error([&] { kernels_of_text(text, {1}, 0.0, 3); }) ==
        "alpha 0: must be a finite number above 0");
}
