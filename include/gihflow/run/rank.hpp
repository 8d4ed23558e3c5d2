#pragma once

#include <optional>

#include "gihflow/base/export.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/critical_logit.hpp"

namespace GIHFLOW_API gihflow {

/// Ranks the sets of lags that a model with the setting's window and degree can see by what they
/// tell of the label, over the setting's chains, see rank_lag_sets. Throws InputError;
/// Interrupted.
Ranking rank(const RankSetting& setting, RunObserver* observer = nullptr);
/// \overload
Ranking rank(const Problem& problem, RunObserver* observer = nullptr);

/// What training from the usual start selects of the ranked sets, (7.4) in infinite context, read
/// off the problem's first kernels; none where that takes too long, see kernels_for_selection().
std::optional<SelectionAtStart> selection_at_start(const Problem& problem, const Ranking& ranking);

}  // namespace gihflow
