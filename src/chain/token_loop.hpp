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

  /// Chains that are drawn together, token by token in turns: while one waits for its next row, the
  /// others compare theirs.
  static constexpr Index chains_in_turns = 4;
  /// Whether chains can be: kernels are small enough.
  static bool can_take_turns(Index vocabulary, std::span<const Index> parents);
  /// draw() for several chains at once, each with its loop, its stream and its row of tokens
  /// [chains, L + 1]; needs can_take_turns().
  static void draw_in_turns(std::span<const TokenLoop> loops, std::span<Stream> streams,
                            std::span<Token> tokens);

 private:
  void thresholds_by_window(Fraction* table) const;

  Index width_, first_, stride_of_last_ = 0;
  std::vector<Index> older_lags_, strides_;  // of the parents beyond lag 1
  std::vector<Fraction> thresholds_;         // [dⁿ, d−1]
};

}  // namespace gihflow
