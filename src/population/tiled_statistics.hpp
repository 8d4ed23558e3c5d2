#pragma once

// The layout of sufficient statistics in tiles.

#include <cstdint>
#include <memory>
#include <vector>

#include "gihflow/population/objective.hpp"
#include "population/arrangement.hpp"
#include "population/statistics.hpp"
#include "population/views.hpp"

namespace gihflow {

/// Where tiles are evaluated one by one (minibatches, standard errors): tiles of each block of the
/// parallel loop.
inline constexpr Index tiles_per_block = 8;
/// Parts whose blocks make one parallel loop.
inline constexpr Index parts_at_once = 16;
/// Upper bounds of the number of blocks: of all parts together, and of one part where its share of
/// these would be less. They are limited since every block computes the pairs of its groups again.
inline constexpr Index blocks_of_all = 256, least_blocks_of_part = blocks_of_all / parts_at_once;

struct TileGroup;

/// The statistics in the layout of the hot loops, see hot::StatisticsView. The loss is linear in T,
/// so that chains with the same (n, q) share one lane, whose T is the sum of theirs.
class TiledStatistics {
 public:
  /// lanes: chains of a tile, 1 is the sparse layout; 0: 8 or 1, whichever is estimated to be
  /// cheaper on a CPU. blocks: upper bound of their number. Frees the statistics on the way.
  TiledStatistics(const Model& model, Statistics&& statistics, int lanes,
                  Index blocks = blocks_of_all);
  /// The same, but keeps the statistics.
  TiledStatistics(const Model& model, const Statistics& statistics, int lanes,
                  Index blocks = blocks_of_all);
  /// For a card: with the digits of windows and queries, never a table of windows.
  TiledStatistics(const Model& model, const Statistics& statistics, Arrangement arrangement);

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
  Index first_segment(Index block) const { return block_begin_[static_cast<std::size_t>(block)]; }
  Index segments() const { return static_cast<Index>(segments_.size()); }
  /// The segments of a group are those from this one to before that of the next group.
  Index first_segment_of_group(Index group) const {
    return group_segments_[static_cast<std::size_t>(group)];
  }
  /// Pairs of all segments; those of a group count once for each of its segments.
  Index segment_pairs() const { return segment_pairs_.back(); }
  /// Keys of the windows of all pairs, each once, increasing: the rows of the table.
  const std::vector<std::uint64_t>& table_keys() const { return table_keys_; }
  const std::vector<std::uint64_t>& queries() const { return queries_; }
  const WindowCode& code() const { return code_; }  ///< of the keys and queries
  /// Where the pairs of each window of the table are; d, H, features and pulls are not filled in.
  hot::PullTask pull_task() const;
  Index group_of_tile(Index tile) const { return tile_group_[static_cast<std::size_t>(tile)]; }
  Index chains() const { return static_cast<Index>(chain_slot_.size()); }
  /// Tile·lanes + lane of a chain.
  Index slot(Index chain) const { return chain_slot_[static_cast<std::size_t>(chain)]; }
  /// Number of different (n, q), which is that of lanes in use.
  Index distinct() const { return distinct_; }
  /// Adds T of a chain to the targets [d, lanes] of its tile.
  void add_targets(Index chain, double* of_tile) const {
    for (Index e = 0; e < vocabulary_; ++e)
      of_tile[e * lanes_ + slot(chain) % lanes_] += targets_of(chain)[e];
  }
  /// T of one chain, [d].
  const double* targets_of(Index chain) const {
    return chain_targets_.data() + chain * vocabulary_;
  }

 private:
  void share_windows(std::vector<std::unique_ptr<TileGroup>>& groups);
  void index_windows();
  void lay_out(const Model& model, const Statistics& statistics, Arrangement&& arrangement,
               Statistics* free, Index blocks);
  void append(std::uint64_t query, TileGroup&& group);
  void cut_blocks(Index blocks);

  WindowCode code_;
  Index vocabulary_ = 0;
  int lanes_ = 0;
  bool table_ = false;  ///< features come from a table of windows
  int count_bytes_ = 1;
  Index most_pairs_ = 0, distinct_ = 0;
  std::vector<std::int64_t> group_pairs_, group_tiles_;
  std::vector<std::uint16_t> query_digits_, pair_digits_;  // of relative features
  std::vector<std::uint64_t> queries_, table_keys_;        // of a table of windows
  std::vector<std::uint32_t> pair_window_, query_window_;
  std::vector<std::int64_t> segment_pairs_, window_uses_begin_;
  std::vector<hot::WindowUse> window_uses_;
  std::vector<std::int64_t> whole_segments_;  // of groups whose pairs are all windows of the table
  std::vector<std::uint32_t> whole_queries_;
  std::vector<std::int32_t> query_existing_, pair_existing_;
  std::vector<std::int64_t> tile_entries_;
  std::vector<std::uint32_t> entry_pair_;
  std::vector<std::uint8_t> entry_count_;
  std::vector<double> targets_, chain_targets_;
  std::vector<Index> tile_group_, chain_slot_;
  std::vector<hot::Segment> segments_;
  std::vector<Index> group_segments_;  ///< [groups + 1]
  std::vector<Index> block_begin_;
};

/// Upper bounds for a table of windows: of its rows, the pairs of all segments, and the segments.
struct TableSizes {
  double rows, segment_pairs, segments;
};
TableSizes table_sizes(const Model& model, Index chains, Index length);

/// Upper bounds in bytes of the statistics of so many chains, while they are counted and laid out
/// (peak) and as tiles alone (kept). lanes as for TiledStatistics.
MemoryBound statistics_memory(const Model& model, Index chains, Index length, int lanes);

}  // namespace gihflow
