#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/record/comparison_file.hpp"
#include "gihflow/run/train.hpp"

namespace GIHFLOW_API gihflow {

/// Holds gradient descent against the flow as the setting says: same chains, same start, one
/// descent for each of `learning_rates`. Writes `setting.output`, unless that is empty, when all is
/// done. The flow is integrated at rtol 1e-10 and atol 1e-13 unless the setting was given others.
/// Throws InputError before anything is written; WriteError when the output cannot be written.
ComparisonFile compare(const Problem& problem, TrainObserver* observer = nullptr);

}  // namespace gihflow
