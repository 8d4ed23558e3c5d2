#pragma once

// One group of chains on its way into tiles.

#include <cstdint>
#include <span>
#include <vector>

#include "population/statistics.hpp"

namespace gihflow {

/// What the chains of one query share, and their tiles; see hot::StatisticsView.
struct TileGroup {
  /// Its windows alone.
  TileGroup(const WindowCode& code, const Statistics& statistics, std::span<const Index> chains);
  /// Its tiles of `lanes` chains, whose pairs refer to `windows`; counts of `bytes` bytes.
  void lay_out(const WindowCode& code, const Statistics& statistics, std::span<const Index> chains,
               int lanes, int bytes);

  std::vector<std::uint64_t> windows;      ///< distinct keys of pairs, increasing
  std::vector<std::int64_t> tile_entries;  ///< [tiles, d] number of entries
  std::vector<std::uint32_t> entry_pair;
  std::vector<std::uint8_t> entry_count;  ///< [entries, lanes] of `bytes` bytes
};

}  // namespace gihflow
