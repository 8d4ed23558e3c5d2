#pragma once

// Sufficient statistics (n, q, T) of sequences, theory §4, and their layout in tiles.

#include <cstdint>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "population/views.hpp"

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
  Index chains = 0;
  std::vector<Index> entry_begin;    ///< [N + 1]
  std::vector<std::uint64_t> key;    ///< [entries] window·d + token, increasing within a chain
  std::vector<std::uint32_t> count;  ///< [entries] n(Z,e) ≥ 1
  std::vector<std::uint64_t> query;  ///< [N] q = Z_{L+1}
  std::vector<double> targets;       ///< [N, d]
};

/// Draws every sequence once, in parallel, and counts it.
Statistics count_windows(const Model& model, const SequenceSource& source);

/// The statistics as the hot loops want them; see hot::StatisticsView. The loss is linear in T:
/// chains alike in (n, q) share one lane, whose T is the sum of theirs.
class TiledStatistics {
 public:
  /// lanes: chains of a tile, 1 is the sparse layout; 0: 8 or 1, whichever is estimated to be
  /// cheaper on a CPU.
  TiledStatistics(const Model& model, Statistics statistics, int lanes);

  int lanes() const { return lanes_; }
  int count_bytes() const { return count_bytes_; }
  Index blocks() const { return static_cast<Index>(block_begin_.size()) - 1; }
  Index most_pairs() const { return most_pairs_; }
  Index tiles() const { return static_cast<Index>(tile_group_.size()); }
  Index entries() const { return static_cast<Index>(entry_pair_.size()); }
  Index pairs() const { return group_pairs_.back(); }
  Index groups() const { return static_cast<Index>(group_tiles_.size()) - 1; }
  std::size_t memory() const;

  hot::StatisticsView view() const;
  const hot::Segment* segments_of(Index block) const {
    return segments_.data() + block_begin_[static_cast<std::size_t>(block)];
  }
  Index segment_count(Index block) const {
    return block_begin_[static_cast<std::size_t>(block) + 1] -
           block_begin_[static_cast<std::size_t>(block)];
  }
  Index group_of_tile(Index tile) const { return tile_group_[static_cast<std::size_t>(tile)]; }
  /// Tile·lanes + lane of a chain.
  Index slot(Index chain) const { return chain_slot_[static_cast<std::size_t>(chain)]; }
  /// Lanes in use: how many different (n, q) there are.
  Index distinct() const { return distinct_; }
  /// T of one chain, [d].
  const double* targets_of(Index chain) const {
    return chain_targets_.data() + chain * vocabulary_;
  }

 private:
  void cut_blocks();

  Index vocabulary_ = 0;
  int lanes_ = 0;
  int count_bytes_ = 1;
  Index most_pairs_ = 0, distinct_ = 0;
  std::vector<std::int64_t> group_pairs_, group_tiles_;
  std::vector<std::uint16_t> query_digits_, pair_digits_;
  std::vector<std::int32_t> query_existing_, pair_existing_;
  std::vector<std::int64_t> tile_entries_;
  std::vector<std::uint32_t> entry_pair_;
  std::vector<std::uint8_t> entry_count_;
  std::vector<double> targets_, chain_targets_;
  std::vector<Index> tile_group_, chain_slot_;
  std::vector<hot::Segment> segments_;
  std::vector<Index> block_begin_;
};

}  // namespace gihflow
