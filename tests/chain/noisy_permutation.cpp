#include "gihflow/chain/noisy_permutation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/chain/prior.hpp"
#include "support/input_errors.hpp"
#include "support/prior_moments.hpp"
#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

TEST_CASE("a permutation for each context at the other parents, all equally likely, with noise") {
  Prior prior;
  prior.parents = {1, 3};
  prior.family = NoisyPermutation{0.3};
  const Kernels kernels = draw_kernels(prior, 1, Purpose::test, 6000);
  CHECK(rows_sum_to_one(kernels));
  CHECK(close(least_probability(prior), 0.1, 4));
  CHECK(small_entries(prior) == std::numeric_limits<double>::infinity());
  std::map<std::string, double> counts;
  for (Index chain = 0; chain < kernels.count; ++chain) {
    const auto kernel = kernels.of_chain(chain);
    for (Index other = 0; other < 3; ++other) {
      std::string images;
      for (Index token = 0; token < 3; ++token) {
        const auto row = kernel.subspan(size((token * 3 + other) * 3), 3);
        const auto image = std::max_element(row.begin(), row.end()) - row.begin();
        images += static_cast<char>('0' + image);
        for (Index e = 0; e < 3; ++e) CHECK(close(row[size(e)], e == image ? 0.8 : 0.1, 8));
      }
      ++counts[images];
    }
  }
  CHECK(counts.size() == 6);
  std::vector<double> found;
  for (const auto& [images, count] : counts) {
    found.push_back(count);
    CHECK(std::set<char>(images.begin(), images.end()).size() == 3);
  }
  CHECK(chi_square_p_value(found, std::vector<double>(6, 3000.0)) > least_p_value);
}

TEST_CASE("without noise a permutation has zeros, and says so") {
  Prior prior;
  prior.parents = {1};
  prior.family = NoisyPermutation{0.0};
  CHECK(least_probability(prior) == 0.0);
  CHECK(small_entries(prior) == 0.0);
  std::vector<double> kernel(9);
  draw_kernel(prior, 1, Purpose::test, 0, kernel);
  CHECK(std::count(kernel.begin(), kernel.end(), 0.0) == 6);
  CHECK(std::count(kernel.begin(), kernel.end(), 1.0) == 3);
  prior.family = NoisyPermutation{1.5};
  CHECK(sentences(prior_errors(prior)) ==
        std::vector<std::string>{
            "prior permutation:1.5: ETA must be from 0 to 1, the probability of a uniform token"});
}
