#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Critical own logit w* of (7.4) for a subset of heads, given by its index in subsets(): if the
/// largest logit of every head is above w*, with the other logits as at the start, the subset has
/// the largest gain G(S;w) and takes over in stage I. Searches from one-hot attention down to the
/// largest other logit, and returns that if the subset always wins. NaN if it loses even at one-hot
/// attention.
double critical_own_logit(const Objective& objective, const Parameters& start, Index subset);

/// Selection of stage I among sets of lags.
struct SelectionAtStart {
  Index chains = 0;           ///< number of kernels in the mean
  std::size_t selected = 0;   ///< the set of lags with the largest gain G(S;w) at the start
  double critical_logit = 0;  ///< w* of the wanted set, see critical_own_logit
};

/// Selection (7.4) in infinite context among the sets of at most `degree` of the given lags, by a
/// model with one head per lag that starts from `point`; `wanted` and the result are positions in
/// subsets().
SelectionAtStart selection_at_start(const Kernels& kernels, const std::vector<Index>& lags,
                                    Index degree, const InitialPoint& point, std::size_t wanted);

/// Number of kernels, at most `count`, that selection_at_start() can use in about a second, by its
/// cost of d^{2·lags+1} operations each; 0 if it is below min(30, count).
Index kernels_for_selection(Index vocabulary, Index lags, Index count);

}  // namespace gihflow
