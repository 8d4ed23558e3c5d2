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
#include "population/parts.hpp"
#include "population/views.hpp"

namespace gihflow {

namespace infinite {

namespace {

// Larger panels mean fewer passes over the laws, but have to stay in a cache.
constexpr Index panel_bytes = Index{1} << 19;  // E of a panel
constexpr Index panels_at_once = 8;
constexpr Index blocks_at_once = 16;  // a block: one panel and a range of chains

}  // namespace

Index windows_of(const Model& model) {
  return power(model.vocabulary, static_cast<Index>(model.used_lags().size()), "windows");
}

Cut::Cut(Index windows, Index chains) {
  constexpr Index line = sizeof(hot::Line);
  all_packs = (windows + hot::pack - 1) / hot::pack;
  packs = std::clamp(panel_bytes / (line * windows), Index{1}, all_packs);
  panels = (all_packs + packs - 1) / packs;
  at_once = std::min(panels, panels_at_once);
  tiles = (chains + hot::tile - 1) / hot::tile;
  ranges = std::min(tiles, (blocks_at_once + at_once - 1) / at_once);
}

}  // namespace infinite

MemoryBound infinite_objective_memory(const Model& model, Index chains, Index longest_lag) {
  const Parts parts{chains};
  const Index all_windows = infinite::windows_of(model);
  const double n = static_cast<double>(chains), d = static_cast<double>(model.vocabulary),
               windows = static_cast<double>(all_windows),
               of_longest = std::pow(d, static_cast<double>(longest_lag)),
               states = std::min(windows, of_longest), law = 8.0 * windows * d;
  const infinite::Cut cut(all_windows, parts.chains_of(0));
  // Values and derivatives: E of the panels that are held together, their B for each range of
  // chains, their ∂/∂u; features and ∂/∂u of all windows.
  const double packs = static_cast<double>(cut.packs * cut.at_once),
               heads = static_cast<double>(model.heads), at_once = static_cast<double>(cut.at_once);
  const double pack = 2.0 * 64.0 * (windows + 8.0),
               panels = packs * pack * (1.0 + static_cast<double>(cut.ranges)) +
                        2.0 * (law + 64.0 * d) * heads * (at_once + 4.0);
  const double scratch = static_cast<double>(hot::tile) * (8.0 * windows + 128.0 * states);
  const double errors =
      threads() * (packs * pack * 2.0 + (law + 64.0 * d) * heads * (at_once + 2.0)) +
      8.0 * static_cast<double>(parts.chains_of(0) * row_size(model));
  MemoryBound bound;
  bound.kept = n * 8.0 * (windows + d * states) +
               windows * (8.0 + 2.0 * static_cast<double>(model.widest()));
  // With lists of lags the law of the kept tokens is computed from one that has the chain's state,
  // too.
  const double whole = law * (model.head_lags.empty() ? 1.0 : of_longest);
  bound.peak = bound.kept + std::max(threads() * (3.0 * whole + stationary_memory(of_longest)),
                                     std::max(panels, errors) + threads() * scratch);
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
  if (device == Device::cuda) return make_cuda_infinite_objective(model, kernels);
  return make_host_infinite_objective(model, kernels);
}

}  // namespace gihflow
