#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// The critical own logit w* of (7.4) for a subset of heads, by its index: the least logit which
/// every head must have on the lag that it attends to most at the start so that the subset has the
/// largest gain G(S;w), and with it takes over in stage I, for all larger ones. The other logits
/// are those of the start; the search goes from one-hot attention down to equal logits, where all
/// sets of a size are the same. NaN where the subset loses even with one-hot attention.
double critical_own_logit(const Objective& objective, const Parameters& start, Index subset);

/// What stage I makes of sets of lags.
struct SelectionAtStart {
  Index chains = 0;           ///< kernels that this is read off
  std::size_t selected = 0;   ///< the set of lags with the largest gain G(S;w) at the start
  double critical_logit = 0;  ///< w* of the wanted set, see critical_own_logit
};

/// Selection (7.4) in infinite context among the sets of the given lags, at most `degree` of them,
/// by a model with a head on each lag that starts from `point`; sets are counted as in subsets().
SelectionAtStart selection_at_start(const Kernels& kernels, const std::vector<Index>& lags,
                                    Index degree, const InitialPoint& point, std::size_t wanted);

/// How many of `count` kernels selection_at_start() works off in about a second. 0 where that
/// would be fewer than 30 of more, for then d^{2·lags+1} is too large.
Index kernels_for_selection(Index vocabulary, Index lags, Index count);

}  // namespace gihflow
