#pragma once

#include <optional>

#include "gihflow/base/export.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/critical_logit.hpp"

namespace GIHFLOW_API gihflow {

/// Ranks the sets of at most `degree` lags that the setting's model sees by their information about
/// the label (6.2), over the setting's chains, see rank_lag_sets. Throws InputError; Interrupted.
Ranking rank(const RankSetting& setting, RunObserver* observer = nullptr);
/// \overload
Ranking rank(const Problem& problem, RunObserver* observer = nullptr);

/// The ranked set that stage I selects from the initial point, (7.4) in infinite context, from the
/// problem's first kernels; nullopt if that takes too long, see kernels_for_selection().
std::optional<SelectionAtStart> selection_at_start(const Problem& problem, const Ranking& ranking);

}  // namespace gihflow
