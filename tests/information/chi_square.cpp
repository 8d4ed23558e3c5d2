#include "gihflow/information/chi_square.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gihflow/base/digits.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/stationary.hpp"
#include "support/input_errors.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Kernels kernels_of(Index vocabulary, std::vector<Index> parents, Index count, double alpha) {
  return draw_kernels({.vocabulary = vocabulary, .parents = std::move(parents), .alpha = alpha}, 7,
                      Purpose::test, count);
}

/// (6.1) and (6.2) of one chain as they stand, set by set from the whole law.
std::vector<ChiSquare> literal(const Kernels& kernels, Index chain, Index window, Index degree) {
  const Index d = kernels.vocabulary;
  const auto law = stationary_window_law(kernels.of_chain(chain), d, kernels.parents, window + 1);
  std::vector<ChiSquare> all;
  for (std::uint32_t mask : subsets(window, degree)) {
    const auto lags = elements_of(mask);
    const Index windows = power(d, static_cast<Index>(lags.size()), "windows");
    std::vector<double> joint(static_cast<std::size_t>(windows * d)),
        mass(static_cast<std::size_t>(windows)), token(static_cast<std::size_t>(d));
    for (std::size_t x = 0; x < law.size(); ++x) {
      auto digit = [&](Index lag) {  // token at that lag, 0 for the newest of all
        return static_cast<Index>(x) / power(d, window - lag, "digit") % d;
      };
      Index z = 0;
      for (Index lag : lags) z = z * d + digit(lag);
      joint[static_cast<std::size_t>(z * d + digit(0))] += law[x];
      mass[static_cast<std::size_t>(z)] += law[x];
      token[static_cast<std::size_t>(digit(0))] += law[x];
    }
    ChiSquare one;
    for (std::size_t z = 0; z < mass.size(); ++z) {
      if (mass[z] == 0.0) continue;
      double chi_square = -1.0;
      for (std::size_t e = 0; e < token.size(); ++e) {
        const double p = joint[z * token.size() + e] / mass[z];
        if (token[e] > 0.0) chi_square += p * p / token[e];
      }
      one.standard += mass[z] * chi_square;
      one.modified += mass[z] * mass[z] * chi_square;
    }
    all.push_back(one);
  }
  return all;
}

}  // namespace

TEST_CASE("chi-square informations of every set of lags") {
  struct Case {
    Kernels kernels;
    Index window, degree;
  };
  const std::vector<Case> cases{
      {kernels_of(3, {1, 2}, 20, 1.0), 3, 2},
      {kernels_of(3, {1, 3}, 20, 1.0), 2, 2},  // parents beyond the window
      {kernels_of(2, {2}, 20, 0.8), 5, 3},     // windows beyond the parents
      {kernels_of(4, {1, 3}, 5, 0.5), 3, 3},
      {kernels_of(2, {1, 2, 3}, 5, 0.5), 4, 9},  // degree above the window
      {kernels_of(3, {}, 3, 0.5), 2, 2},
      {kernels_of(3, {1}, 3, 0.5), 3, 0}};
  for (const Case& c : cases)
    for (Index i = 0; i < c.kernels.count; ++i) {
      const auto found = chi_square_information(c.kernels.of_chain(i), c.kernels.vocabulary,
                                                c.kernels.parents, c.window, c.degree);
      const auto expected = literal(c.kernels, i, c.window, c.degree);
      REQUIRE(found.size() == expected.size());
      for (std::size_t s = 0; s < found.size(); ++s) {
        CHECK(std::abs(found[s].standard - expected[s].standard) <= tolerance<double>(100));
        CHECK(std::abs(found[s].modified - expected[s].modified) <= tolerance<double>(100));
      }
    }
}

TEST_CASE("two states by hand") {
  // π(1|0) = p, π(0|1) = q: μ = (q, p)/(p+q), and χ² information at lag s is λ^{2s}, λ = 1 − p − q.
  const double p = 0.3, q = 0.1, lambda = 1.0 - p - q;
  const std::vector<double> kernel{1 - p, p, q, 1 - q};
  const std::vector<Index> parents{1};
  const auto found = chi_square_information(kernel, 2, parents, 3, 1);
  for (int lag = 1; lag <= 3; ++lag)
    CHECK(std::abs(found[static_cast<std::size_t>(lag)].standard - std::pow(lambda, 2 * lag)) <=
          tolerance<double>(20));
  // χ²(z) at lag 1 is λ²·μ(1−z)/μ(z), so Ĩ = 2μ(0)μ(1)λ².
  CHECK(std::abs(found[1].modified - 2 * 0.25 * 0.75 * lambda * lambda) <= tolerance<double>(20));
}

TEST_CASE("identities of the chi-square informations") {
  const Kernels kernels = kernels_of(3, {1, 2}, 200, 0.1);
  for (Index i = 0; i < kernels.count; ++i) {
    const auto found = chi_square_information(kernels.of_chain(i), 3, kernels.parents, 3, 3);
    CHECK(found[0].standard == 0.0);
    CHECK(found[0].modified == 0.0);
    const auto masks = subsets(3, 3);
    for (std::size_t s = 0; s < masks.size(); ++s) {
      CHECK(found[s].modified <= found[s].standard * (1.0 + tolerance<double>(8)));
      CHECK(found[s].modified >= -tolerance<double>(8));
      // I never falls when S grows.
      for (std::size_t t = 0; t < masks.size(); ++t)
        if ((masks[s] & masks[t]) == masks[s])
          CHECK(found[s].standard <= found[t].standard + tolerance<double>(32));
    }
    // Tokens renamed by 0 → 1 → 2 → 0.
    std::vector<double> renamed(27);
    for (std::size_t z = 0; z < 9; ++z)
      for (std::size_t e = 0; e < 3; ++e)
        renamed[((z / 3 + 1) % 3 * 3 + (z % 3 + 1) % 3) * 3 + (e + 1) % 3] =
            kernels.of_chain(i)[z * 3 + e];
    const auto again = chi_square_information(renamed, 3, kernels.parents, 3, 3);
    for (std::size_t s = 0; s < masks.size(); ++s) {
      CHECK(std::abs(again[s].standard - found[s].standard) <= tolerance<double>(200));
      CHECK(std::abs(again[s].modified - found[s].modified) <= tolerance<double>(200));
    }
  }
}

TEST_CASE("under a uniform law of windows the modified information is the standard one divided") {
  // Mixtures of permutations are doubly stochastic: single tokens are uniform, (6.4).
  const double weights[] = {0.5, 0.2, 0.3};
  const int permutations[][4] = {{1, 2, 3, 0}, {0, 1, 3, 2}, {3, 0, 1, 2}};
  std::vector<double> kernel(16);
  for (int k = 0; k < 3; ++k)
    for (int z = 0; z < 4; ++z)
      kernel[static_cast<std::size_t>(z * 4 + permutations[k][z])] += weights[k];
  const std::vector<Index> parents{1};
  const auto single = chi_square_information(kernel, 4, parents, 3, 1);
  for (std::size_t lag = 1; lag <= 3; ++lag) {
    CHECK(single[lag].standard > 0.01);
    CHECK(std::abs(single[lag].modified - single[lag].standard / 4) <= tolerance<double>(32));
  }
  // Parents {1,2} with π(·|x,y) a Latin square: pairs are uniform, and Ĩ({1,2}) = I({1,2})/9.
  std::vector<double> latin(27);
  for (std::size_t x = 0; x < 3; ++x)
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t e = 0; e < 3; ++e) latin[(x * 3 + y) * 3 + (e + x + 2 * y) % 3] = weights[e];
  const std::vector<Index> two{1, 2};
  const auto pairs = chi_square_information(latin, 3, two, 2, 2);
  CHECK(pairs[3].standard > 0.01);
  CHECK(std::abs(pairs[3].modified - pairs[3].standard / 9) <= tolerance<double>(32));
}

TEST_CASE("ranking, gap and paired errors") {
  const Kernels kernels = kernels_of(3, {1, 2}, 400, 0.1);
  const Ranking ranking = rank_lag_sets(kernels, 3, 2);
  CHECK(ranking.chains == 400);
  REQUIRE(ranking.sets.size() == 7);
  CHECK(ranking.sets[4].lags == 0b011);
  std::vector<std::vector<double>> modified(7);
  for (Index i = 0; i < kernels.count; ++i) {
    const auto row = literal(kernels, i, 3, 2);
    for (std::size_t s = 0; s < 7; ++s) modified[s].push_back(row[s].modified);
  }
  auto mean = [](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  auto error = [&](const std::vector<double>& x) {
    double squares = 0.0;
    for (double y : x) squares += (y - mean(x)) * (y - mean(x));
    const double n = static_cast<double>(x.size());
    return std::sqrt(squares / (n - 1) / n);
  };
  for (std::size_t s = 0; s < 7; ++s) {
    CHECK(std::abs(ranking.sets[s].modified - mean(modified[s])) <= tolerance<double>(100));
    CHECK(std::abs(ranking.sets[s].modified_error - error(modified[s])) <= tolerance<double>(100));
  }
  // Sorted by Ĩ: S* is {1,2}, the parents, in the paper's setting.
  CHECK(ranking.information_set().lags == 0b011);
  for (std::size_t i = 1; i < 7; ++i)
    CHECK(ranking.sets[ranking.by_modified[i - 1]].modified >=
          ranking.sets[ranking.by_modified[i]].modified);
  std::vector<double> difference;
  for (std::size_t i = 0; i < 400; ++i)
    difference.push_back(modified[4][i] - modified[ranking.by_modified[1]][i]);
  CHECK(std::abs(ranking.gap - mean(difference)) <= tolerance<double>(100));
  CHECK(std::abs(ranking.gap_error - error(difference)) <= tolerance<double>(100));
  CHECK(ranking.gap_z == ranking.gap / ranking.gap_error);

  for (int count : {1, 3}) {
    const Threads threads(count);
    const Ranking again = rank_lag_sets(kernels, 3, 2);
    for (std::size_t s = 0; s < 7; ++s) {
      CHECK(again.sets[s].chi_square == ranking.sets[s].chi_square);
      CHECK(again.sets[s].modified == ranking.sets[s].modified);
    }
  }
  // What one chain cannot tell.
  const Ranking one = rank_lag_sets(kernels_of(3, {1}, 1, 1.0), 2, 1);
  CHECK(std::isnan(one.gap_error));
  CHECK(std::isnan(one.gap_z));
  CHECK(std::isnan(one.sets[1].modified_error));
  CHECK(std::isnan(rank_lag_sets(kernels, 3, 0).gap));
}

TEST_CASE("a million windows") {
  const Kernels kernels = kernels_of(2, {1, 19}, 1, 1.0);
  CHECK(input_error([&] { rank_lag_sets(kernels, 20, 2); }).find("GiB") != std::string::npos);
  const Kernels near = kernels_of(2, {1, 3}, 1, 1.0);
  const Ranking ranking = rank_lag_sets(near, 20, 2);
  CHECK(ranking.sets.size() == 211);
  const auto few = literal(near, 0, 4, 2);
  const auto masks = subsets(4, 2);
  for (const RankedSet& set : ranking.sets)
    for (std::size_t t = 0; t < masks.size(); ++t)
      if (set.lags == masks[t]) CHECK(std::abs(set.modified - few[t].modified) <= 1e-13);
}

TEST_CASE("chains that are not irreducible") {
  // One closed class {0, 1} beside a transient state is fine: the law lives on the class.
  const Kernels one{3, {1}, 1, {0.2, 0.8, 0, 0.6, 0.4, 0, 0.3, 0.3, 0.4}};
  const Kernels inner{2, {1}, 1, {0.2, 0.8, 0.6, 0.4}};
  const Ranking all = rank_lag_sets(one, 2, 2), expected = rank_lag_sets(inner, 2, 2);
  for (std::size_t s = 0; s < all.sets.size(); ++s) {
    CHECK(std::abs(all.sets[s].chi_square - expected.sets[s].chi_square) <= tolerance<double>(32));
    CHECK(std::abs(all.sets[s].modified - expected.sets[s].modified) <= tolerance<double>(32));
  }
  CHECK(input_error([] {
          rank_lag_sets({2, {1}, 2, {0.5, 0.5, 0.5, 0.5, 1, 0, 0, 1}}, 2, 2);
        }) ==
        "kernels, chain 1: has 2 closed classes of states: must be one, since its stationary "
        "law is not unique");
}

TEST_CASE("impossible rankings are refused with a sentence") {
  const Kernels kernels = kernels_of(3, {1}, 2, 1.0);
  CHECK(input_error([&] { rank_lag_sets(kernels, 0, 2); }) == "window 0: must be at least 1");
  CHECK(input_error([&] { rank_lag_sets(kernels, 2, -1); }) == "degree -1: must not be negative");
  const Kernels far = kernels_of(3, {12}, 2, 1.0);
  const std::string large = input_error([&] { rank_lag_sets(far, 29, 1); });
  CHECK(large.find("window 29 with vocabulary 3: laws of 14 tokens and 30 sets of lags over 2 "
                   "chains need ") == 0);
  CHECK(large.find("GiB of memory: must not exceed") != std::string::npos);
  CHECK(input_error([&] { rank_lag_sets(kernels, 31, 1); }).find("30 elements") !=
        std::string::npos);
}

TEST_CASE("windows too wide for a law of their own are ranked set by set") {
  const Kernels kernels = kernels_of(5, {1, 2}, 3, 0.5);
  const Ranking wide = rank_lag_sets(kernels, 25, 3), few = rank_lag_sets(kernels, 4, 3);
  CHECK(wide.sets.size() == 1 + 25 + 300 + 2300);
  int compared = 0;
  for (const RankedSet& set : wide.sets)
    for (const RankedSet& same : few.sets)
      if (set.members == same.members) {
        ++compared;
        CHECK(std::abs(set.modified - same.modified) <= 1e-13);
        CHECK(std::abs(set.chi_square - same.chi_square) <= 1e-12);
      }
  CHECK(compared == static_cast<int>(few.sets.size()));
}

TEST_CASE("sets of given lags are ranked as among all lags of a window") {
  const Kernels kernels =
      draw_kernels({.vocabulary = 3, .parents = {1, 3}, .alpha = 0.4}, 4, Purpose::test, 7);
  const Ranking all = rank_lag_sets(kernels, 6, 2);
  const std::vector<Index> lags{1, 3, 6};
  const Ranking some = rank_lag_sets(kernels, lags, 2);
  CHECK(some.sets.size() == 7);
  for (const RankedSet& set : some.sets) {
    const auto same = std::find_if(all.sets.begin(), all.sets.end(), [&](const RankedSet& other) {
      return other.members == set.members;
    });
    REQUIRE(same != all.sets.end());
    CHECK(set.modified == doctest::Approx(same->modified).epsilon(1e-12));
    CHECK(set.chi_square == doctest::Approx(same->chi_square).epsilon(1e-12));
  }
  CHECK(some.information_set().members == std::vector<Index>{1, 3});
  // A lag that no window could hold.
  CHECK(rank_lag_sets(kernels, std::vector<Index>{1, 3, 200}, 2).information_set().members ==
        std::vector<Index>{1, 3});
}
