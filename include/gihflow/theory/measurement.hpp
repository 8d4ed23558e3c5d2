#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/theory/quantity.hpp"

namespace GIHFLOW_API gihflow {

/// Value of a quantity in a complete trajectory, in the units of units_of. Phases I, II and III are
/// the first stages that train only c, w or a; other quantities come from the last stage. NaN if
/// there is no such stage, or if a trajectory does not show the quantity. Log-odds slopes are means
/// up to the takeover, if there is one. A head's own lag is that of its largest logit at the start.
double measure(Quantity quantity, const Subject& subject, const Trajectory& trajectory);

}  // namespace gihflow
