#pragma once

// The layout of one group of chains in tiles, which is built in parallel with the other groups.

#include <cstdint>
#include <span>
#include <vector>

#include "population/statistics.hpp"

namespace gihflow {

/// The windows and the tiles of the chains of one query, see hot::StatisticsView.
struct TileGroup {
  /// Finds the windows; the tiles are laid out later.
  TileGroup(const WindowCode& code, const Statistics& statistics, std::span<const Index> chains);
  /// Lays out tiles of `lanes` chains, whose pairs refer to `windows`, with counts of `bytes`
  /// bytes.
  void lay_out(const WindowCode& code, const Statistics& statistics, std::span<const Index> chains,
               int lanes, int bytes);

  std::vector<std::uint64_t> windows;      ///< distinct keys of pairs, increasing
  std::vector<std::int64_t> tile_entries;  ///< [tiles, d] number of entries
  std::vector<std::uint32_t> entry_pair;   ///< [entries] number in `windows`
  std::vector<std::uint8_t> entry_count;   ///< [entries, lanes] of `bytes` bytes
};

}  // namespace gihflow
