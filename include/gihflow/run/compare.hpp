#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/record/comparison_file.hpp"
#include "gihflow/run/train.hpp"

namespace GIHFLOW_API gihflow {

/// Holds gradient descent against the flow as the setting says: same chains, same start, one
/// descent for each of `learning_rates`. Writes `setting.output`, unless that is empty, when all is
/// done.
/// Throws InputError before anything is written; WriteError when the output cannot be written.
ComparisonFile compare(const Problem& problem, TrainObserver* observer = nullptr);

}  // namespace gihflow
