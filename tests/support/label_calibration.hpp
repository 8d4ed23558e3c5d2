#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "gihflow/base/size.hpp"
#include "gihflow/chain/sequence.hpp"

namespace gihflow::testing {

/// How sequences of four tokens of two are labelled with posteriors: uniform first tokens.
inline SamplingOptions posterior_labelled(const Prior& prior, Index count) {
  SamplingOptions options;
  options.prior = prior;
  options.initial_law = InitialLaw::uniform;
  options.labels = Labels::posterior;
  options.purpose = Purpose::test;
  options.length = 4;
  options.count = count;
  return options;
}

/// The share of label 1 after each of the 16 contexts is that which the targets say, within 4.4
/// standard deviations: p = 1e-4 in all of the 16 tests.
inline void check_calibrated(const Sequences& drawn) {
  std::vector<double> ones(16, 0.0), expected(16, 0.0), variance(16, 0.0);
  for (Index chain = 0; chain < drawn.count; ++chain) {
    const auto x = drawn.tokens_of(chain);
    const std::size_t prefix = size(8 * x[0] + 4 * x[1] + 2 * x[2] + x[3]);
    const double p = drawn.targets_of(chain)[1];
    ones[prefix] += x[4];
    expected[prefix] += p;
    variance[prefix] += p * (1.0 - p);
  }
  for (std::size_t prefix = 0; prefix < 16; ++prefix)
    CHECK(std::abs(ones[prefix] - expected[prefix]) < 4.4 * std::sqrt(variance[prefix]));
}

}  // namespace gihflow::testing
