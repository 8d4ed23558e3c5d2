// Upper bound of the memory of the engine on sufficient statistics, before any chain is drawn.

#include <algorithm>
#include <cmath>

#include "gihflow/base/context.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/instruction_sets.hpp"
#include "population/model_tables.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

MemoryBound tiled_memory(const Model& model, Index chains, Index length, int lanes) {
  const Parts parts{chains};
  const Index most = parts.chains_of(0), last = parts.chains_of(parts.count() - 1);
  MemoryBound bound = statistics_memory(model, most, length, lanes);
  const double kept = static_cast<double>(parts.count() - 1) * bound.kept +
                      statistics_memory(model, last, length, lanes).kept;
  const double at_once = static_cast<double>(std::min(parts.count(), parts_at_once));
  const ModelTables tables(model, has_relative_features(model));
  const double n = static_cast<double>(most * model.asked(length)),
               pairs = n * static_cast<double>(length) + hot::pack,
               windows = std::pow(static_cast<double>(model.vocabulary) + 1.0,
                                  static_cast<double>(model.widest()));
  const auto most_pairs = static_cast<Index>(std::min({windows + hot::pack, pairs, 0x1p40}));
  const double H = static_cast<double>(model.heads), d = static_cast<double>(model.vocabulary);
  // With a table of windows: u, ∂/∂u and pulls, with derivatives.
  const TableSizes table = table_sizes(model, most, length);
  const double seen = has_relative_features(model)
                          ? 0.0
                          : 16.0 * H * (table.segment_pairs + d * (table.rows + table.segments));
  const auto scratch = hot_loops("").blocks.scratch[1][1](tables.view(), most_pairs);
  // Bytes of the sums of a block with derivatives, and of the rows of standard errors.
  const double sums = 16.0 * static_cast<double>(tables.sums()),
               rows = 8.0 * static_cast<double>(most * (row_size(model) + 3));
  // The last part is counted and laid out while those before it are kept.
  bound.peak += kept - bound.kept;
  bound.kept = kept;
  bound.peak = std::max(bound.peak, kept + std::max(rows, sums * n / tiles_per_block)) +
               at_once * (512.0 * sums + seen) + threads() * 8.0 * static_cast<double>(scratch);
  return bound;
}

}  // namespace gihflow
