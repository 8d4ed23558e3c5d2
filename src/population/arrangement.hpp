#pragma once

// Which chains share a lane, a tile and a group, before anything is laid out.

#include <span>
#include <vector>

#include "population/statistics.hpp"

namespace gihflow {

/// The chains of the statistics in groups of one query; of chains with the same (n, q) only one.
struct Arrangement {
  /// Within a group in the order of entries and counts, for tiles of one lane.
  explicit Arrangement(const Statistics& statistics);

  /// Reorders the chains of every group so that those of a tile of `lanes` share many entries.
  void gather(const Statistics& statistics, int lanes);

  Index groups() const { return static_cast<Index>(group_begin.size()) - 1; }
  std::span<Index> group(Index g) {
    const std::size_t begin = group_begin[static_cast<std::size_t>(g)];
    return std::span(chains).subspan(begin, group_begin[static_cast<std::size_t>(g) + 1] - begin);
  }

  std::vector<Index> chains;
  std::vector<std::size_t> group_begin;  ///< [groups + 1] in `chains`
  std::vector<Index>
      alike;               ///< for every chain of the statistics the one in `chains` that it equals
  int lanes = 1;           ///< of a tile
  Index entries = 0;       ///< of all tiles
  Index most_windows = 0;  ///< of a group; known after gather()
};

}  // namespace gihflow
