#pragma once

#include <functional>
#include <span>
#include <vector>

#include "population/model_tables.hpp"
#include "population/moments.hpp"
#include "population/parts.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

/// Moments of the rows of chains, see write_row, by whole tiles: those of eight lanes at once, and
/// of all chains of a lane.
class ChainMoments {
 public:
  /// The statistics have tiles of eight and relative features. Both must outlive it.
  ChainMoments(const ModelTables& tables, const TiledStatistics& statistics,
               const hot::MomentFunctions& functions)
      : tables_(tables), statistics_(statistics), functions_(functions) {}

  /// Of all chains at a point, the parameters of `at`, whose attention is given; write_row(chain,
  /// row) is called for those that need shifts of their own.
  Moments of(const Parameters& at, const Point& point, const Attention& attention,
             const std::function<void(Index chain, double* row)>& write_row) const;

 private:
  struct Derivatives;
  Derivatives derivatives(const Parameters& at, const Point& point,
                          const Attention& attention) const;

  const ModelTables& tables_;
  const TiledStatistics& statistics_;
  const hot::MomentFunctions& functions_;
};

}  // namespace gihflow
