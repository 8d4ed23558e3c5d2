#include "base/followers.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "gihflow/base/random.hpp"
#include "gihflow/base/size.hpp"

using namespace gihflow;

TEST_CASE("followers are counted position by position") {
  for (const Index d : {2, 3, 16, 17, 300})
    for (const Index length : {0, 3, 31, 32, 100, 255, 256, 300, 1100})
      for (const std::vector<Index>& lags : {std::vector<Index>{}, {1}, {2}, {1, 2}, {1, 3}, {3}}) {
        Stream stream(1, Purpose::test, Variate::tokens, length);
        std::vector<Token> tokens(size(length + 4));
        for (Token& token : tokens)
          token = static_cast<Token>(stream.uniform() * static_cast<double>(d));
        std::vector<Index> counts(size(d), 5), expected(size(d), 5);
        count_followers(tokens, 3, length + 3, length + 3, lags, counts);
        for (Index l = 3; l < length + 3; ++l) {
          bool same = true;
          for (const Index lag : lags)
            same = same && tokens[size(l - lag)] == tokens[size(length + 3 - lag)];
          if (same) ++expected[tokens[size(l)]];
        }
        CAPTURE(d);
        CAPTURE(length);
        CHECK(counts == expected);
      }
}
