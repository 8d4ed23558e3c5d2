#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// The critical own logit w* of (7.4) for a subset of heads, by its index: the least logit which
/// every head must have on the lag that it attends to most at the start so that the subset has the
/// largest gain G(S;w), and with it takes over in stage I, for all larger ones. The other logits
/// are those of the start; the search goes from one-hot attention down to equal logits, where all
/// sets of a size are the same. NaN where the subset loses even with one-hot attention.
double critical_own_logit(const Objective& objective, const Parameters& start, Index subset);

}  // namespace gihflow
