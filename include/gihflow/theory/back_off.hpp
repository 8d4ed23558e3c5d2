#pragma once

#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"

namespace GIHFLOW_API gihflow {

/// Where c and a come to rest together while attention is held, (7.6).
struct JointRest {
  double a = 0;           ///< NaN: none, the loss falls on as a grows
  std::vector<double> p;  ///< by subset; of those that gain nothing 0
};

/// The rest next to p = δ_S, S the subset with that index, at these arrays, of which all but p and
/// a is fixed: the minimum of the loss over b_T = a·p_T ≥ 0 that is reached from the plateau of a
/// on S by letting in, one after the other, the set that gains most.
JointRest joint_rest(const Objective& objective, Index subset, const PlainBlocks& blocks);

}  // namespace gihflow
