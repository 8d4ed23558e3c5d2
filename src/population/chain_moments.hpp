#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "population/model_tables.hpp"
#include "population/moments.hpp"
#include "population/parts.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

/// Moments of the rows of chains (loss and gradient of a single chain, see write_row()), tile by
/// tile: eight lanes at a time, and all chains of a lane together.
class ChainMoments {
 public:
  /// statistics: in tiles of eight lanes, of a model with relative features. All three arguments
  /// must outlive this object.
  ChainMoments(const ModelTables& tables, const TiledStatistics& statistics,
               const hot::MomentFunctions& functions);
  ~ChainMoments();

  /// Number, mean and Σ (x − mean)² over all chains; `point` and `attention` are those of the
  /// parameters `at`. write_row(chain, row) has to write the row of one chain: it is called where
  /// a·k spreads so widely (hot::widest_spread) that each chain needs a shift of its own.
  Moments of(const Parameters& at, const Point& point, const Attention& attention,
             const std::function<void(Index chain, double* row)>& write_row) const;

 private:
  struct LaneChains;
  struct RowDerivatives;
  RowDerivatives derivatives(const Parameters& at, const Point& point,
                             const Attention& attention) const;

  const ModelTables& tables_;
  const TiledStatistics& statistics_;
  const hot::MomentFunctions& functions_;
  mutable std::once_flag laid_out_;
  mutable std::unique_ptr<const LaneChains> lanes_;  ///< laid out at the first call of of()
};

}  // namespace gihflow
