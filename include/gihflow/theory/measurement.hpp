#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/theory/quantity.hpp"

namespace GIHFLOW_API gihflow {

/// The value of a quantity in a complete trajectory, in the units of units_of: from the first stage
/// that trains c, w or a alone for phases I, II and III, from the last stage otherwise. NaN where
/// there is no such stage, and for quantities that cannot be read off a trajectory. Log-odds slopes
/// are means up to the takeover, where there is one. A head's own lag is that of its largest logit
/// at the start.
double measure(Quantity quantity, const Subject& subject, const Trajectory& trajectory);

}  // namespace gihflow
