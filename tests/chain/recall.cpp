#include "gihflow/chain/recall.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "gihflow/base/size.hpp"
#include "support/input_errors.hpp"
#include "support/settings.hpp"
#include "support/statistics.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("a trigger twice, and the label is what followed it first") {
  const SamplingOptions options = recall_sampling(5, 5000, 12);
  const Sequences drawn = collect(*sample_recall(options));
  CHECK(drawn.parents == std::vector<Index>{1});
  std::vector<double> places(10, 0.0), labels(4, 0.0);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain);
    CHECK(x[11] == 4);
    CHECK(std::count(x.begin(), x.end(), Token{4}) == 2);
    const auto first = std::find(x.begin(), x.end(), Token{4}) - x.begin();
    REQUIRE(first <= 9);
    CHECK(x[12] == x[size(first + 1)]);
    ++places[size(first)];
    ++labels[x[12]];
    for (std::size_t e = 0; e < 5; ++e) CHECK(drawn.targets_of(chain)[e] == (e == x[12] ? 1 : 0));
  }
  CHECK(chi_square_p_value(places, std::vector<double>(10, 500.0)) > least_p_value);
  CHECK(chi_square_p_value(labels, std::vector<double>(4, 1250.0)) > least_p_value);
}

TEST_CASE("other tokens of the recall task are uniform and independent") {
  const Sequences drawn = collect(*sample_recall(recall_sampling(4, 300, 700)));
  std::vector<double> pairs(9, 0.0);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain);
    for (std::size_t l = 0; l + 2 < 700; l += 2)
      if (x[l] < 3 && x[l + 1] < 3) ++pairs[size(3 * x[l] + x[l + 1])];
  }
  double total = 0.0;
  for (const double count : pairs) total += count;
  CHECK(chi_square_p_value(pairs, std::vector<double>(9, total / 9.0)) > least_p_value);
}

TEST_CASE("the label of a recall sequence is certain given the sequence") {
  const auto source = sample_task(recall_sampling(3, 8, 3));
  std::vector<Token> x(4);
  std::vector<double> target(3), law(3);
  for (Index chain = 0; chain < 8; ++chain) {
    source->draw(chain, x, target);
    CHECK(x[0] == 2);  // of three positions the trigger can stand at the first alone
    CHECK(source->posterior_law(x, law) == Posterior::exact);
    CHECK(law == target);
    CHECK(source->conditional_law(chain, x, law));
    CHECK(law == target);
  }
}

TEST_CASE("the recall task needs two ordinary tokens and room for two triggers") {
  CHECK(input_errors([] { sample_recall(recall_sampling(2, 0, 2)); }) ==
        std::vector<std::string>{
            "vocabulary 2: must be between 3 and 65535 with task recall: a trigger and ordinary "
            "tokens",
            "chains 0: must be at least 1",
            "length 2: must be between 3 and 4294967296 with task recall, for two triggers and "
            "what follows the first"});
}
