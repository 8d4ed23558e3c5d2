#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/theory/quantity.hpp"

namespace GIHFLOW_API gihflow {

/// What a trajectory from its first stage on shows of a quantity, in the units of units_of: read
/// off the first stage that trains c, w or a alone for phases I, II and III, off the last one
/// otherwise. NaN where there is no such stage, and for quantities that a trajectory cannot show.
/// Slopes end at the takeover, where there is one. A head's own lag is that of its largest logit at
/// the start.
double measure(Quantity quantity, const Subject& subject, const Trajectory& trajectory);

}  // namespace gihflow
