#include "theory/readings.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

namespace {

/// One head of two lags, subsets {} and {1}.
Snapshot at(double t, double log_odds) {
  Snapshot s;
  s.t = t;
  s.parameters.window = 2;
  s.parameters.heads = s.parameters.degree = 1;
  s.parameters.log_c_squared = {0.0, log_odds};
  s.parameters.c_sign = {1, 1};
  s.parameters.w = {0.0, 2.0};
  return s;
}

}  // namespace

TEST_CASE("the takeover is interpolated in the log odds") {
  const double wanted = std::log(0.99 / 0.01);
  const std::vector<Snapshot> s = {at(0.0, 0.0), at(10.0, wanted - 1.0), at(20.0, wanted + 3.0)};
  CHECK(close(takeover_of(s, 1, 0.01), 12.5, 10));
  CHECK(std::isnan(takeover_of(s, 0, 0.01)));
  CHECK(close(log_odds(s[1], 1, 0), wanted - 1.0, 1));
  CHECK(leading_set(s[1].parameters) == 1);
}

TEST_CASE("attention off a lag keeps its digits near one-hot attention") {
  Parameters q = at(0.0, 0.0).parameters;
  CHECK(leading_component(q, 0) == 1);
  CHECK(close(unattended(q, 0, 1), 1.0 / (1.0 + std::exp(2.0)), 4));
  q.w = {0.0, 600.0};
  CHECK(close(unattended(q, 0, 1), std::exp(-600.0), 4));
}

TEST_CASE("selected: p of one subset, exactly") {
  Parameters q = at(0.0, 0.3).parameters;
  select(q, 0);
  CHECK(q.p() == std::vector<double>{1.0, 0.0});
}
