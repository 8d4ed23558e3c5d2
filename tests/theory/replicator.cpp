#include "gihflow/theory/replicator.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/input_errors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

namespace {

Parameters start(const std::vector<double>& c, double a) {
  Parameters q;
  q.window = q.heads = 2;
  q.degree = 2;
  q.set_c(c);
  q.w = {0, 0, 0, 0};
  q.a = a;
  return q;
}

}  // namespace

TEST_CASE("the closed form solves the replicator equation") {
  const Parameters q = start({0.01, 0.02, -0.015, 0.01}, 0.001);
  const std::vector<double> gain = {0.0, 0.05, 0.11, 0.2};
  const Replicator replicator(q, gain);
  const double rate = 4.0 * q.a / std::exp(q.log_normalizer());
  for (const double t : {0.0, 0.3, 2.0}) {
    const auto p = replicator.p(t), after = replicator.p(t + 1e-4), before = replicator.p(t - 1e-4);
    double mean = 0.0;
    for (std::size_t i = 0; i < 4; ++i) mean += p[i] * gain[i];
    for (std::size_t i = 0; i < 4; ++i)
      CHECK(std::abs((after[i] - before[i]) / 2e-4 - rate * p[i] * (gain[i] - mean)) < 1e-6);
  }
  CHECK(close(replicator.slope(1, 3), rate * (0.05 - 0.2), 10));
  CHECK(replicator.winner() == 3);
  CHECK(close(replicator.gap(), 0.001 * 0.09, 10));
}

TEST_CASE("takeover time is the root, below its bound, and equal to it against one rival") {
  const Replicator many(start({0.01, 0.01, 0.01, 0.01}, 0.01), {0.0, 0.05, 0.11, 0.2});
  for (const double delta : {0.5, 0.01, 1e-9}) {
    const double t = many.takeover_time(delta);
    CHECK(std::abs(1.0 - many.p(t)[3] - delta) < 1e-9 * delta + 1e-15);
    CHECK(t > 0.0);
    CHECK(t < many.takeover_bound(delta));
  }
  const Replicator two(start({0.0, 0.0, 0.01, 0.01}, 0.01), {0.0, 0.05, 0.11, 0.2});
  CHECK(two.p(5.0)[0] == 0.0);
  // p = ½ at the start: (1−p)/p = 1, and the bound differs from the root by log(1−δ) alone.
  const double delta = 1e-6;
  CHECK(close(two.takeover_time(delta), two.takeover_bound(delta), 1.0, 1e-6 / 2e-16));
}

TEST_CASE("corner cases: the end is the start, no rival, rivals of equal gain, negative a") {
  const Replicator there(start({0.0, 0.0, 1e-6, 1.0}, 0.01), {0.0, 0.05, 0.11, 0.2});
  CHECK(there.takeover_time(0.01) == 0.0);
  CHECK(there.takeover_bound(0.01) == 0.0);
  const Replicator alone(start({0.0, 0.0, 0.0, 1.0}, 0.01), {0.0, 0.05, 0.11, 0.2});
  CHECK(alone.takeover_time(0.01) == 0.0);
  CHECK(std::isinf(alone.gap()));
  const Replicator tie(start({0.1, 0.1, 0.1, 0.1}, 0.01), {0.0, 0.05, 0.2, 0.2});
  CHECK(std::isinf(tie.takeover_time(0.01)));
  CHECK(std::isinf(tie.takeover_bound(0.01)));
  const Replicator still(start({0.1, 0.1, 0.1, 0.1}, 0.0), {0.1, -0.2, 0.0, -0.1});
  CHECK(std::isinf(still.takeover_time(0.01)));
  CHECK(std::isinf(still.takeover_bound(0.01)));
  CHECK(Replicator(start({0.1, 0.1, 0.1, 0.1}, -0.01), {0.0, 0.05, 0.2, 0.2}).winner() == 0);
}

TEST_CASE("bad gains") {
  const Parameters q = start({0.1, 0.1, 0.1, 0.1}, 0.01);
  CHECK(gihflow::testing::input_error([&] { Replicator(q, {1.0}); }) ==
        "gains: 1 of them, must be one for each of 4 subsets");
  CHECK(gihflow::testing::input_error([&] {
          Replicator(q, {0, NAN, 0, 0});
        }) == "gains: number 1 is not finite, must be");
}
