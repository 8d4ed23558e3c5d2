#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// What a draw is for. Streams of different purposes never share a number: at the same seed check
/// chains differ from training chains, and validation chains do not depend on the number of
/// training chains.
enum class Purpose : std::uint32_t {
  train = 0,
  validation = 1,
  check = 2,
  rank = 3,
  sample = 4,
  predict = 5,
  verify = 6,
  batch = 7,
  mixture = 8,
  test = 99
};

/// Which part of a chain a draw belongs to. Each has a stream of its own, so the draws of the
/// kernel do not depend on the sequence length.
enum class Variate : std::uint32_t { kernel = 0, initial = 1, tokens = 2, order = 3, query = 4 };

/// Philox4x32-10 (Salmon et al. 2011): a bijection of 128-bit counters, one for each 64-bit key,
/// whose outputs at successive counters are statistically independent uniform bits.
std::array<std::uint32_t, 4> philox4x32_10(const std::array<std::uint32_t, 4>& counter,
                                           const std::array<std::uint32_t, 2>& key) noexcept;

/// Counter-based random stream: every number is a pure function of (seed, purpose, variate, chain,
/// draw), by Philox4x32-10, in whatever order and on whatever thread chains are drawn. Key: low and
/// high half of the seed. Counter words: draw / 2, purpose + 256·variate, low and high half of the
/// chain; output words 0, 1 (low half first) are an even draw, 2, 3 the odd one after it. At most
/// 2^33 draws per stream.
class Stream {
 public:
  /// The stream at its first draw.
  Stream(std::uint64_t seed, Purpose purpose, Variate variate, Index chain) noexcept;

  /// Next 64 random bits.
  std::uint64_t bits() noexcept {
    if (used_ == 2) refill();
    return block_[used_++];
  }

  /// Uniform in the open interval (0, 1): (k + ½)·2⁻⁵² for a 52-bit k. (With 53 bits k + ½ is not
  /// representable for large k, and rounding up would give 1.)
  double uniform() noexcept { return to_uniform(bits()); }

  /// Fills `values` with the integers k of the next values.size() uniforms (k + ½)·2⁻⁵², faster
  /// than as many calls of uniform().
  void fractions(std::span<std::uint64_t> values) noexcept;

  /// Passes over so many draws.
  void skip(std::uint64_t draws) noexcept;

 private:
  static double to_uniform(std::uint64_t bits) noexcept {
    return (static_cast<double>(bits >> 12) + 0.5) * 0x1.0p-52;
  }
  void refill() noexcept;

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint64_t, 2> block_{};
  unsigned used_ = 2;
};

}  // namespace gihflow
