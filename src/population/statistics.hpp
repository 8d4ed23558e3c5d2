#pragma once

// Sufficient statistics (n, q, T) of sequences, theory §4.

#include <cstdint>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"

namespace gihflow {

/// How windows Z_l = (x_{l−1}, …, x_{l−W}) are numbered: base d, or d + 1 with the blank as digit d
/// where windows may be partial; lag 1 is the most significant digit.
struct WindowCode {
  Index vocabulary;
  Index widest;  ///< W
  bool partial;
  std::uint64_t base;
  std::uint64_t leading;  ///< base^(W−1)

  /// Throws InputError when (base^W)·d does not fit in 62 bits.
  explicit WindowCode(const Model& model);
  std::uint64_t blank() const;  ///< the window before x₁
  /// The window one position later, after token x.
  std::uint64_t next(std::uint64_t window, Token x) const { return x * leading + window / base; }
  void digits(std::uint64_t window, std::uint16_t* out) const;  ///< [W], lag 1 first
};

/// n(Z,e), q and T of every chain, in order of chains.
struct Statistics {
  Index chains = 0, vocabulary = 0;
  std::vector<Index> entry_begin;    ///< [N + 1]
  std::vector<std::uint64_t> key;    ///< [entries] window·d + token, increasing within a chain
  std::vector<std::uint32_t> count;  ///< [entries] n(Z,e) ≥ 1
  std::vector<std::uint64_t> query;  ///< [N] q = Z_{L+1}
  std::vector<double> targets;       ///< [N, d]
};

/// Draws every sequence once, in parallel, and counts it.
Statistics count_windows(const Model& model, const SequenceSource& source);

}  // namespace gihflow
