#include "gihflow/chain/stationary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "chain/scaled.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior.hpp"
#include "support/input_errors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

// Transition matrix [n, n] on [d]^{r_n}, from the definition.
std::vector<double> window_transition(std::span<const double> kernel, Index d,
                                      const std::vector<Index>& parents) {
  const Index r = parents.back(), n = power(d, r, "n");
  std::vector<double> P(size(n * n), 0.0);
  for (Index s = 0; s < n; ++s) {
    std::vector<Index> recent(size(r));  // recent[i] = x_{l−1−i}
    for (Index i = r, rest = s; i-- > 0; rest /= d) recent[size(i)] = rest % d;
    Index context = 0;
    for (const Index lag : parents) context = context * d + recent[size(lag - 1)];
    for (Index e = 0; e < d; ++e) {
      Index next = e;
      for (Index i = 0; i + 1 < r; ++i) next = next * d + recent[size(i)];
      P[size(s * n + next)] += kernel[size(context * d + e)];
    }
  }
  return P;
}

// Largest relative error of flow balance, μ_j (1 − P_jj) = Σ_{i≠j} μ_i P_ij in components: no entry
// is too small to be looked at, as long as it is a normal number.
double balance_error(const std::vector<double>& P, const std::vector<double>& mu) {
  const std::size_t n = mu.size();
  double worst = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    long double in = 0.0L, out = 0.0L;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == j) continue;
      in += static_cast<long double>(mu[i]) * P[i * n + j];
      out += static_cast<long double>(mu[j]) * P[j * n + i];
    }
    if (mu[j] < 1e-290) continue;
    worst = std::max(worst, static_cast<double>(std::abs(in - out) / std::max(in, out)));
  }
  return worst;
}

// Markov chain tree theorem: μ_j ∝ the sum over spanning trees directed to j of the product of
// their transition probabilities. Trees are enumerated as maps i ↦ next(i) without cycles; n ≤ 5.
// Nothing is subtracted, and long double has the exponents for it.
std::vector<double> law_by_trees(const std::vector<double>& P, Index n) {
  std::vector<long double> weight(size(n), 0.0L);
  const Index maps = power(n, n - 1, "maps");
  for (Index root = 0; root < n; ++root) {
    for (Index code = 0; code < maps; ++code) {
      std::vector<Index> next(size(n), root);
      long double product = 1.0L;
      for (Index i = 0, rest = code; i < n; ++i) {
        if (i == root) continue;
        next[size(i)] = rest % n;
        rest /= n;
        product *= P[size(i * n + next[size(i)])];
      }
      bool tree = true;
      for (Index i = 0; i < n && tree; ++i) {
        Index at = i;
        for (Index step = 0; step < n && at != root; ++step) at = next[size(at)];
        tree = at == root;
      }
      if (tree) weight[size(root)] += product;
    }
  }
  const long double total = std::accumulate(weight.begin(), weight.end(), 0.0L);
  std::vector<double> mu;
  for (const long double w : weight) mu.push_back(static_cast<double>(w / total));
  return mu;
}

void check_is_law(const std::vector<double>& mu) {
  CHECK(std::all_of(mu.begin(), mu.end(), [](double m) { return m >= 0.0; }));
  const double sum = std::accumulate(mu.begin(), mu.end(), 0.0);
  CHECK(close(sum, 1.0, static_cast<double>(mu.size()), 4.0));
}

}  // namespace

TEST_CASE("scaled numbers round as doubles do") {
  const std::vector<double> values{0.0,
                                   1.0,
                                   0.1,
                                   1.0 / 3.0,
                                   3e200,
                                   7e-200,
                                   0.99999999999999989,
                                   2.0,
                                   1e16,
                                   1.0000000000000002,
                                   5e-17,
                                   123456.789};
  for (const double a : values) {
    CHECK(double(Scaled(a)) == a);
    for (const double b : values) {
      CHECK(double(Scaled(a) + Scaled(b)) == a + b);
      if (std::isfinite(a * b)) CHECK(double(Scaled(a) * Scaled(b)) == a * b);
      if (b > 0.0 && std::isfinite(a / b)) CHECK(double(Scaled(a) / Scaled(b)) == a / b);
    }
  }
}

TEST_CASE("scaled numbers go where doubles cannot") {
  const Scaled tiny = Scaled(1e-300) * Scaled(1e-300) * Scaled(1e-300);
  CHECK(double(tiny) == 0.0);
  CHECK_FALSE(is_zero(tiny));
  const Scaled back = tiny / Scaled(1e-300) / Scaled(1e-300);
  CHECK(close(double(back), 1e-300, 4));
  CHECK(close(double((tiny + tiny) / tiny), 2.0, 1));
  CHECK(double(Scaled(5e-324)) == 5e-324);
}

TEST_CASE("two states, by hand") {
  const std::vector<double> mu = stationary_law({0.8, 0.2, 0.4, 0.6}, 2);
  CHECK(close(mu[0], 2.0 / 3.0, 2));
  CHECK(close(mu[1], 1.0 / 3.0, 2));
}

TEST_CASE("one state, periodic and doubly stochastic chains") {
  CHECK(stationary_law({1.0}, 1) == std::vector<double>{1.0});
  for (const double m : stationary_law({0, 1, 0, 0, 0, 1, 1, 0, 0}, 3))
    CHECK(close(m, 1.0 / 3.0, 3));
  for (const double m : stationary_law({0.2, 0.5, 0.3, 0.3, 0.2, 0.5, 0.5, 0.3, 0.2}, 3)) {
    CHECK(close(m, 1.0 / 3.0, 9));
  }
}

TEST_CASE("a birth and death chain whose law spans 600 orders of magnitude") {
  // μ_{i+1}/μ_i = up/down by detailed balance.
  for (const double ratio : {1e-20, 1e20}) {
    const Index n = 31;
    const double up = ratio < 1.0 ? 0.5 * ratio : 0.5, down = ratio < 1.0 ? 0.5 : 0.5 / ratio;
    std::vector<double> P(size(n * n), 0.0);
    for (Index i = 0; i < n; ++i) {
      if (i + 1 < n) P[size(i * n + i + 1)] = up;
      if (i > 0) P[size(i * n + i - 1)] = down;
      P[size(i * n + i)] = 1.0 - (i + 1 < n ? up : 0.0) - (i > 0 ? down : 0.0);
    }
    const std::vector<double> mu = stationary_law(P, n);
    for (Index i = 0; i < n; ++i) {
      const Index distance = ratio < 1.0 ? i : n - 1 - i;
      const double expected = std::pow(1e-20, static_cast<double>(distance));
      if (expected > 1e-300) CHECK(close(mu[size(i)], expected, static_cast<double>(n), 4.0));
      if (expected == 0.0) CHECK(mu[size(i)] == 0.0);
    }
  }
}

TEST_CASE("laws of nearly reducible chains agree with the sum over spanning trees") {
  struct Case {
    Index d;
    std::vector<Index> parents;
  };
  for (const Case& c : {Case{3, {1}}, Case{4, {1}}, Case{5, {1}}, Case{2, {1, 2}}, Case{2, {2}}}) {
    for (const double alpha : {0.003, 0.01, 0.1, 1.0}) {
      Prior prior{c.d, c.parents, alpha, 0.0};
      const Kernels kernels = draw_kernels(prior, 77, Purpose::test, c.d == 5 ? 40 : 200);
      for (Index chain = 0; chain < kernels.count; ++chain) {
        const auto kernel = kernels.of_chain(chain);
        const Index n = power(c.d, c.parents.back(), "n");
        const auto P = window_transition(kernel, c.d, c.parents);
        const auto expected = law_by_trees(P, n);
        for (const auto& mu : {stationary_law(P, n),
                               stationary_window_law(kernel, c.d, c.parents, c.parents.back())}) {
          check_is_law(mu);
          for (std::size_t i = 0; i < mu.size(); ++i) {
            const bool representable = expected[i] > 1e-290;
            if (representable) CHECK(close(mu[i], expected[i], static_cast<double>(n), 8.0));
            if (!representable) CHECK(mu[i] < 1e-289);
          }
        }
      }
    }
  }
}

TEST_CASE("thousands of Dirichlet chains balance in every component") {
  struct Case {
    std::vector<Index> parents;
    double alpha;
    Index count;
  };
  for (const Case& c : {Case{{1, 2}, 0.01, 4000}, Case{{1, 2}, 0.1, 4000}, Case{{1, 3}, 0.01, 500},
                        Case{{1, 4}, 0.1, 100}, Case{{1, 4}, 0.01, 100}}) {
    const Kernels kernels = draw_kernels({3, c.parents, c.alpha, 0.0}, 5, Purpose::test, c.count);
    double worst = 0.0;
    for (Index chain = 0; chain < kernels.count; ++chain) {
      const auto kernel = kernels.of_chain(chain);
      const auto mu = stationary_window_law(kernel, 3, c.parents, c.parents.back());
      REQUIRE(std::all_of(mu.begin(), mu.end(), [](double m) { return m >= 0.0; }));
      const double sum = std::accumulate(mu.begin(), mu.end(), 0.0);
      REQUIRE(close(sum, 1.0, static_cast<double>(mu.size()), 4.0));
      worst = std::max(worst, balance_error(window_transition(kernel, 3, c.parents), mu));
    }
    CAPTURE(c.alpha);
    CHECK(worst < tolerance<double>(81, 8.0));
  }
}

TEST_CASE("the smallest probabilities a kernel can have make no chain fail") {
  // Every state is left only by transitions of 2.2e-308, and differently many of them.
  const double tiny = 2.2250738585072014e-308;
  std::vector<double> P(36, tiny);
  for (std::size_t i = 0; i < 6; ++i) P[7 * i] = 1.0;
  for (const double m : stationary_law(P, 6)) CHECK(close(m, 1.0 / 6.0, 36));
  P[1] *= 3.0;  // out of state 0 at 7/5 of the rate, to state 1
  const auto mu = stationary_law(P, 6);
  check_is_law(mu);
  CHECK(balance_error(P, mu) < tolerance<double>(36));
  CHECK(mu[0] < mu[2]);
  CHECK(mu[1] > mu[2]);
}

TEST_CASE("a product that underflows is missed beside no smaller one") {
  // State 2 is entered through state 3 with probability 1e-200 twice, and from state 1, itself of
  // mass 1e-200, with 1e-250; it is left at 1e-300. The first way makes all but 1e-50 of its mass.
  const std::vector<double> P{1.0,    1e-200, 0.0, 1e-200, 0.5, 0.5, 1e-250, 0.0,
                              1e-300, 0.0,    1.0, 0.0,    1.0, 0.0, 1e-200, 0.0};
  const auto mu = stationary_law(P, 4), expected = law_by_trees(P, 4);
  CHECK(close(mu[2], 1e-100, 4));
  for (std::size_t i = 0; i < 4; ++i) CHECK(close(mu[i], expected[i], 4, 8.0));
}

TEST_CASE("transient states have no mass") {
  // 0 → {1, 2}, {1, 2} closed, 3 → 0.
  const std::vector<double> P{0.0, 0.5, 0.5, 0.0, 0.0, 0.8, 0.2, 0.0,
                              0.0, 0.4, 0.6, 0.0, 1.0, 0,   0,   0};
  const auto mu = stationary_law(P, 4);
  CHECK(mu[0] == 0.0);
  CHECK(mu[3] == 0.0);
  CHECK(close(mu[1], 2.0 / 3.0, 4));
  CHECK(close(mu[2], 1.0 / 3.0, 4));
  // An absorbing state.
  CHECK(stationary_law({0.5, 0.5, 0.0, 1.0}, 2) == std::vector<double>{0.0, 1.0});
}

TEST_CASE("a chain with several closed classes is refused") {
  const std::vector<double> P{1, 0, 0, 0, 1, 0, 0.5, 0, 0.5};
  CHECK(input_error([&] { stationary_law(P, 3); }) ==
        "stationary law: the chain has 2 closed classes of states: must be one, else the law is "
        "not unique");
  // d = 2 with lag 2 alone, x_l = x_{l−2}: constants 00 and 11, and the alternation of 01 and 10.
  const std::vector<double> copy{1, 0, 0, 1};
  const std::vector<Index> lag_two{2}, lag_one{1};
  CHECK(closed_classes(copy, 2, lag_two) == 3);
  CHECK(closed_classes(copy, 2, lag_one) == 2);
  CHECK(closed_classes(std::vector<double>{0, 1, 1, 0}, 2, lag_one) == 1);
  CHECK(closed_classes(std::vector<double>{0.5, 0.5, 0.5, 0.5}, 2, lag_two) == 1);
  CHECK(input_error([&] { stationary_window_law(copy, 2, lag_two, 2); }) ==
        "stationary law: the chain has 3 closed classes of states: must be one, else the law is "
        "not unique");
}

TEST_CASE("impossible matrices are refused") {
  CHECK(input_error([] {
          stationary_law({1.0, 0.0}, 2);
        }) ==
        "stationary law, 2 states with 2 transition probabilities: must be states^2 of them, "
        "for 1 to 4096 states");
  CHECK(input_error([] {
          stationary_law({0.5, 0.5, -0.5, 1.5}, 2);
        }) ==
        "stationary law, transition probability -0.5 from state 1 to 0: must be finite and not "
        "negative");
}

TEST_CASE("window laws of a two-token chain, by hand") {
  // π(1|0) = 0.2, π(0|1) = 0.4; μ = (2/3, 1/3). Index 2·x_{l−1} + x_{l−2}.
  const std::vector<double> kernel{0.8, 0.2, 0.4, 0.6};
  const std::vector<Index> parents{1};
  CHECK(stationary_window_law(kernel, 2, parents, 0) == std::vector<double>{1.0});
  const auto pair = stationary_window_law(kernel, 2, parents, 2);
  const std::vector<double> expected{2.0 / 3 * 0.8, 1.0 / 3 * 0.4, 2.0 / 3 * 0.2, 1.0 / 3 * 0.6};
  for (std::size_t i = 0; i < 4; ++i) CHECK(close(pair[i], expected[i], 4));
}

TEST_CASE("windows of independent tokens have the product law") {
  const std::vector<double> row{0.2, 0.3, 0.5};
  const auto law = stationary_window_law(row, 3, {}, 3);
  for (std::size_t i = 0; i < 27; ++i) {
    CHECK(close(law[i], row[i / 9] * row[i / 3 % 3] * row[i % 3], 4));
  }
  // Lag 2 alone: the even and the odd tokens are independent chains.
  const std::vector<double> kernel{0.8, 0.2, 0.4, 0.6};
  const std::vector<Index> parents{2};
  const auto pair = stationary_window_law(kernel, 2, parents, 2);
  const double mu[2] = {2.0 / 3.0, 1.0 / 3.0};
  for (std::size_t i = 0; i < 4; ++i) CHECK(close(pair[i], mu[i / 2] * mu[i % 2], 8));
}

TEST_CASE("window laws are consistent: older or newer tokens summed out, any length") {
  for (const std::vector<Index>& parents : {std::vector<Index>{1, 2}, {2, 3}, {1, 3}, {1}, {}}) {
    const Kernels kernels = draw_kernels({3, parents, 0.5, 0.0}, 8, Purpose::test, 10);
    for (Index chain = 0; chain < 10; ++chain) {
      const auto kernel = kernels.of_chain(chain);
      std::vector<double> shorter = stationary_window_law(kernel, 3, parents, 0);
      for (Index length = 1; length <= 6; ++length) {
        const auto law = stationary_window_law(kernel, 3, parents, length);
        const std::size_t n = shorter.size();
        REQUIRE(law.size() == 3 * n);
        for (std::size_t i = 0; i < n; ++i) {
          const double without_oldest = law[3 * i] + law[3 * i + 1] + law[3 * i + 2];
          const double without_newest = law[i] + law[n + i] + law[2 * n + i];
          CHECK(close(without_oldest, shorter[i], 27, 8.0));
          CHECK(close(without_newest, shorter[i], 27, 8.0));
        }
        shorter = law;
      }
      // The newest token follows π given its parents.
      if (parents.empty()) continue;
      const Index before = power(3, 5, "windows");
      for (Index window = 0; window < before; ++window) {
        const Index context = context_of_window(window, 5, 3, parents);
        double mass = 0.0;
        for (Index e = 0; e < 3; ++e) mass += shorter[size(e * before + window)];
        for (Index e = 0; e < 3; ++e) {
          CHECK(close(shorter[size(e * before + window)], kernel[size(context * 3 + e)] * mass, 27,
                      8.0));
        }
      }
    }
  }
}

TEST_CASE("laws of all sets of lags are those of each set") {
  const std::vector<Index> parents{1, 3}, lags{1, 2, 4, 7, 9};
  const Kernels kernels =
      draw_kernels({.vocabulary = 3, .parents = parents, .alpha = 0.4}, 2, Purpose::test, 5);
  for (const Index degree : {0, 1, 3, 5}) {
    std::vector<std::uint32_t> visited;
    visit_lag_laws(kernels.of_chain(1), 3, parents, lags, degree,
                   [&](std::uint32_t set, std::span<const double> law) {
                     visited.push_back(set);
                     std::vector<Index> some;
                     for (std::size_t i = 0; i < lags.size(); ++i)
                       if (set >> i & 1u) some.push_back(lags[i]);
                     const auto expected =
                         stationary_lag_law(kernels.of_chain(1), 3, parents, some);
                     REQUIRE(law.size() == expected.size());
                     for (std::size_t i = 0; i < law.size(); ++i)
                       CHECK(std::abs(law[i] - expected[i]) <= 1e-15);
                   });
    std::vector<std::uint32_t> expected = subsets(5, degree);
    std::erase(expected, 0u);
    std::ranges::sort(visited);
    std::ranges::sort(expected);
    CHECK(visited == expected);
  }
}

TEST_CASE("too many states or windows are refused before any work") {
  const std::vector<double> kernel{0.5, 0.5, 0.5, 0.5};
  const std::vector<Index> far{13}, near{1};
  CHECK(input_error([&] { stationary_window_law(kernel, 2, far, 13); }) ==
        "parents 13: the stationary law of 13 consecutive tokens has 8192 states: must not "
        "exceed 4096");
  CHECK(input_error([&] { stationary_window_law(kernel, 2, near, 33); }) ==
        "window length 33: must be at least 0 and make at most 4294967296 windows (vocabulary 2)");
  CHECK(input_error([&] { stationary_window_law(kernel, 2, near, -1); }) ==
        "window length -1: must be at least 0 and make at most 4294967296 windows (vocabulary 2)");
}
