#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gihflow/base/random.hpp"
#include "gihflow/base/types.hpp"

namespace gihflow {

/// k of a uniform (k + ½)·2⁻⁵².
using Fraction = std::uint64_t;

/// x_l ~ π(·|x_{l−r₁}, …, x_{l−r_n}), formula (1.2), for one kernel [dⁿ, d].
class TokenLoop {
 public:
  /// parents r₁ < … < r_n.
  TokenLoop(std::span<const double> kernel, Index vocabulary, std::span<const Index> parents);
  /// Draws x_l for l > r_n, given x_1 … x_{r_n} at the front of `tokens`: one uniform of `stream`
  /// per token, with the result of categorical().
  void draw(Stream& stream, std::span<Token> tokens) const;

 private:
  Index width_, first_, stride_of_last_ = 0;
  std::vector<Index> older_lags_, strides_;  // of the parents beyond lag 1
  std::vector<Fraction> thresholds_;         // [dⁿ, d−1]
};

}  // namespace gihflow
