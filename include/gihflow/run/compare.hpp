#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/record/comparison_file.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// Compares gradient descent with the flow: same chains, same start, one descent for each of
/// `learning_rates`. Writes `setting.output`, unless that is empty, when all is done; nothing on an
/// interrupt, where the comparison returned is of the stages up to it. Throws
/// InputError before anything is written; WriteError when the output cannot be written.
ComparisonFile compare(const CompareSetting& setting, RunObserver* observer = nullptr);
/// \overload
ComparisonFile compare(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
