#include "population/infinite_cut.hpp"

#include <algorithm>
#include <cmath>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/chain/stationary.hpp"
#include "gihflow/population/infinite.hpp"
#include "population/engines.hpp"
#include "population/infinite_numbers.hpp"
#include "population/model_tables.hpp"

namespace gihflow {

namespace infinite {

namespace {

constexpr double panel_bytes = 16e6;  // what the features of a panel may take
constexpr Index panels_at_once = 8;
constexpr Index blocks_at_once = 64;  // of a panel and a range of chains
constexpr Index tile_rows = 128;      // (chain, token) rows of one matrix product, about
constexpr Index tile_chains = 8;      // a tile has a multiple of

}  // namespace

Cut::Cut(const Model& model, Index chains)
    : windows(power(model.vocabulary, static_cast<Index>(model.used_lags().size()), "windows")),
      column_bytes(8.0 * static_cast<double>(windows) *
                   static_cast<double>(model.subsets() + model.heads + 4)) {
  panel = std::clamp(static_cast<Index>(panel_bytes / column_bytes), Index{1},
                     std::min(widest_panel, windows));
  panels = (windows + panel - 1) / panel;
  at_once = std::min(panels, panels_at_once);
  tile = std::max(Index{1}, tile_rows / model.vocabulary / tile_chains) * tile_chains;
  tiles = (chains + tile - 1) / tile;
  ranges = std::min(tiles, (blocks_at_once + at_once - 1) / at_once);
}

}  // namespace infinite

MemoryBound infinite_objective_memory(const Model& model, Index chains, Index longest_lag) {
  const Parts parts{chains};
  const infinite::Cut cut(model, parts.chains_of(0));
  const ModelTables tables(model, false);
  const double n = static_cast<double>(chains), d = static_cast<double>(model.vocabulary),
               windows = static_cast<double>(cut.windows), law = 8.0 * windows * d,
               column = 8.0 * windows;
  const double states = std::pow(d, static_cast<double>(longest_lag));
  // Values and derivatives of the panels held at once, forward and backward; their B on each range
  // of chains; heads; and the rows of standard errors.
  const double panels = static_cast<double>(cut.panel * cut.at_once) *
                        (4.0 * cut.column_bytes + 2.0 * column * static_cast<double>(cut.ranges));
  const double heads = 4.0 * (law + column) * (static_cast<double>(model.heads) + threads()) +
                       2.0 * law * static_cast<double>(model.heads * (cut.at_once + 4)) +
                       threads() * law * static_cast<double>(model.heads) +
                       2.0 * law * static_cast<double>(model.heads * parts.count());
  const double threads_own = threads() * (6.0 * column * static_cast<double>(cut.panel) +
                                          16.0 * static_cast<double>(cut.panel * cut.tile) * d);
  const double rows =
      static_cast<double>(parts.chains_of(0)) * (8.0 * static_cast<double>(tables.sums()) + 300.0 +
                                                 24.0 * static_cast<double>(row_size(model)));
  MemoryBound bound;
  bound.kept = n * law + 2.0 * windows * static_cast<double>(model.widest());
  // With lists of lags the law has the chain's state beside the tokens that are kept.
  const double whole = law * (model.head_lags.empty() ? 1.0 : states);
  bound.peak = bound.kept + std::max(threads() * (3.0 * whole + stationary_memory(states)),
                                     panels + heads + threads_own + rows);
  return bound;
}

void require_infinite(const Model& model) {
  if (!model.sees_own_token()) return;
  Phrase allowed("has no engine for ");
  allowed += model.scores == Scores::tokens ? Phrase(Field::scores, " tokens")
                                            : Phrase(Field::own_position);
  throw InputError(Fault{Field::context, "infinite", std::move(allowed)});
}

std::unique_ptr<Objective> make_infinite_objective(const Model& model, const Kernels& kernels,
                                                   Device device) {
  validate(kernels, "kernels");
  if (kernels.vocabulary != model.vocabulary)
    throw InputError(fault(Field::vocabulary, fmt::format("{} of the kernels", kernels.vocabulary),
                           "the model has {} {}", Field::vocabulary, model.vocabulary));
  require_infinite(model);
  if (resolved(device, model) == Device::cuda) return make_cuda_infinite_objective(model, kernels);
  return make_host_infinite_objective(model, kernels);
}

}  // namespace gihflow
