#include "gihflow/chain/distributions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <vector>

#include "support/statistics.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

Stream test_stream(Index chain) {
  return {20240917, Purpose::test, Variate::kernel, chain};
}

}  // namespace

TEST_CASE("variates are the ones they have always been") {
  // log, cos and sqrt of another C library may differ in the last digit.
  Stream stream(5, Purpose::test, Variate::order, 3);
  const auto same = [](double a, double b) { return close(a, b, 16); };
  CHECK(same(normal_variate(stream), -1.6820156116243652));
  CHECK(same(normal_variate(stream), 0.27869252394263622));
  CHECK(same(normal_variate(stream), 1.0375383815924679));
  CHECK(same(log_gamma_variate(stream, 0.01), -59.529220585006478));
  CHECK(same(log_gamma_variate(stream, 0.1), -4.3855015380729343));
  CHECK(same(log_gamma_variate(stream, 1.0), 1.0626207631462008));
  CHECK(same(log_gamma_variate(stream, 2.5), 0.52571607852751057));
  CHECK(same(log_gamma_variate(stream, 40.0), 3.6960930868429949));
  std::array<double, 3> row{};
  dirichlet(stream, 0.1, row);
  CHECK(same(row[0], 0.079163751878100347));
  CHECK(same(row[1], 0.018362316849891185));
  CHECK(same(row[2], 0.90247393127200859));
}

TEST_CASE("rows drawn together are those drawn one by one") {
  for (const double alpha : {1e-308, 0.1, 1.0, 3.0}) {
    std::vector<double> together(40 * 3), one_by_one(together.size());
    dirichlet_rows(test_stream(2), alpha, 3, together);
    Stream stream = test_stream(2);
    for (std::size_t row = 0; row < 40; ++row)
      dirichlet(stream, alpha, std::span(one_by_one).subspan(3 * row, 3));
    CHECK(together == one_by_one);
  }
}

TEST_CASE("normal variates are standard normal") {
  Stream stream = test_stream(0);
  std::vector<double> samples(50'000);
  for (double& x : samples) x = normal_variate(stream);
  CHECK(kolmogorov_p_value(samples, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }) >
        least_p_value);
}

TEST_CASE("a normal variate costs two draws") {
  Stream used = test_stream(1), reference = test_stream(1);
  for (int i = 0; i < 3; ++i) normal_variate(used);
  for (int i = 0; i < 6; ++i) reference.bits();
  CHECK(used.bits() == reference.bits());
}

TEST_CASE("exponentials of log-gamma variates follow the gamma law") {
  Index chain = 10;
  for (const double shape : {0.01, 0.1, 0.5, 0.999, 1.0, 1.5, 7.0, 300.0}) {
    Stream stream = test_stream(chain++);
    std::vector<double> samples(20'000);
    for (double& x : samples) x = log_gamma_variate(stream, shape);
    // For small x the distribution function is x^shape/Γ(shape + 1), in logarithms where x
    // underflows.
    const auto distribution = [&](double log_x) {
      if (log_x < -600.0) return std::exp(shape * log_x - std::lgamma(shape + 1.0));
      return boost::math::gamma_p(shape, std::exp(log_x));
    };
    CAPTURE(shape);
    CHECK(kolmogorov_p_value(samples, distribution) > least_p_value);
  }
}

TEST_CASE("log-gamma variates stay finite for the smallest shapes") {
  Stream stream = test_stream(30);
  for (const double shape : {1e-5, 1e-100, 1e-300, std::numeric_limits<double>::min(), 5e-324}) {
    for (int i = 0; i < 100; ++i) CHECK(std::isfinite(log_gamma_variate(stream, shape)));
  }
}

TEST_CASE("Dirichlet rows are positive and sum to 1, for every alpha") {
  Stream stream = test_stream(40);
  for (const std::size_t d : {2u, 3u, 10u, 500u}) {
    std::vector<double> row(d);
    for (const double alpha : {1e-300, 1e-4, 0.01, 0.1, 1.0, 30.0, 1e12}) {
      for (int i = 0; i < 50; ++i) {
        dirichlet(stream, alpha, row);
        for (const double p : row) CHECK_UNARY(p >= std::numeric_limits<double>::min());
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);
        CHECK(close(sum, 1.0, static_cast<double>(d), 2.0));
      }
    }
  }
}

TEST_CASE("Dirichlet rows of a vanishing alpha are vertices, each as likely as the others") {
  for (const double alpha : {1e-300, 1e-307, 1e-310, 5e-324}) {
    Stream stream = test_stream(45);
    std::array<double, 3> row{};
    std::array<int, 3> times{};
    for (int i = 0; i < 3000; ++i) {
      dirichlet(stream, alpha, row);
      const auto largest = std::max_element(row.begin(), row.end());
      CHECK_UNARY(*largest == 1.0);
      ++times[static_cast<std::size_t>(largest - row.begin())];
    }
    CAPTURE(alpha);
    // Binomial(3000, 1/3): six standard deviations of 25.8, p < 1e-8.
    for (const int n : times) CHECK(std::abs(n - 1000) < 155);
  }
}

TEST_CASE("Dirichlet components follow the beta law, each of them") {
  Index chain = 50;
  for (const double alpha : {0.1, 1.0, 4.0}) {
    Stream stream = test_stream(chain++);
    const std::size_t d = 4;
    std::vector<double> row(d);
    std::vector<std::vector<double>> samples(d);
    for (int i = 0; i < 10'000; ++i) {
      dirichlet(stream, alpha, row);
      for (std::size_t e = 0; e < d; ++e) samples[e].push_back(row[e]);
    }
    for (std::size_t e = 0; e < d; ++e) {
      const auto distribution = [&](double x) { return boost::math::ibeta(alpha, 3 * alpha, x); };
      CAPTURE(alpha);
      CAPTURE(e);
      CHECK(kolmogorov_p_value(samples[e], distribution) > least_p_value);
    }
  }
}

TEST_CASE("categorical takes the smallest index whose cumulative probability exceeds the uniform") {
  const std::vector<double> p{0.25, 0.5, 0.25};
  CHECK(categorical(1e-300, p) == 0);
  CHECK(categorical(0.2499999, p) == 0);
  CHECK(categorical(0.25, p) == 1);
  CHECK(categorical(0.7499999, p) == 1);
  CHECK(categorical(0.75, p) == 2);
  CHECK(categorical(1.0 - 0x1p-53, p) == 2);
}

TEST_CASE("probabilities sum to 1 as nearly as their precision can say it") {
  const auto sums = [](std::vector<double> p) {
    return sums_to_one(std::accumulate(p.begin(), p.end(), 0.0), p);
  };
  CHECK(sums({0.1, 0.2, 0.7}));
  CHECK(sums({0.1, 0.2, 0.7 + 5e-10}));
  CHECK_FALSE(sums({0.1, 0.2, 0.7 + 2e-9}));
  CHECK(sums({0.1f, 0.2f, 0.7f}));
  CHECK(std::abs(double{0.1f} + double{0.2f} + double{0.7f} - 1.0) > 1e-9);
  CHECK_FALSE(sums({0.1f, 0.2f, 0.7f + 0x1p-21f}));
  CHECK_FALSE(sums({0.5, 0.25}));
  // 0.1, 0.2 and 0.7 in half precision.
  CHECK(sums({0x1.998p-4, 0x1.998p-3, 0x1.668p-1}));
  CHECK_FALSE(sums({0x1.998p-4, 0x1.998p-3, 0x1.698p-1}));
  CHECK_FALSE(sums({0x1.9981p-4, 0x1.998p-3, 0x1.668p-1}));  // one of them is none
  CHECK(sums({0x1.ffcp-1, 0x1p-24, 0.0}));
}

TEST_CASE("categorical never gives an index of probability zero") {
  const std::vector<double> holes{0.0, 0.5, 0.0, 0.0, 0.5, 0.0};
  for (int i = 0; i < 1000; ++i) {
    const Index k = categorical((i + 0.5) / 1000.0, holes);
    CHECK((k == 1 || k == 4));
  }
  // Where rounding leaves the sum below the uniform, the last possible one.
  const std::vector<double> short_of_one{0.3, 0.7 - 1e-12, 0.0};
  CHECK(categorical(1.0 - 1e-14, short_of_one) == 1);
}
