#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gihflow/population/objective.hpp"
#include "population/model_tables.hpp"
#include "population/rows.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

/// Rows of chains, see write_row, by whole tiles: loss and derivatives of eight chains at once.
class ChainRows {
 public:
  /// The statistics have tiles of eight and relative features. Both must outlive it.
  ChainRows(const ModelTables& tables, const TiledStatistics& statistics,
            const hot::RowFunctions& functions)
      : tables_(tables), statistics_(statistics), functions_(functions) {}

  /// Writes rows [chains, width] of all chains at a point, the parameters of `at`, whose attention
  /// is given; calls one_by_one(begin, end) for those that need shifts of their own.
  void write(const Parameters& at, const Point& point, const Attention& attention, Index width,
             std::span<double> rows,
             const std::function<void(Index begin, Index end)>& one_by_one) const;

 private:
  std::vector<double> derivatives_from_sums(const Parameters& at, const Point& point,
                                            const Attention& attention, Index width) const;

  const ModelTables& tables_;
  const TiledStatistics& statistics_;
  const hot::RowFunctions& functions_;
};

}  // namespace gihflow
