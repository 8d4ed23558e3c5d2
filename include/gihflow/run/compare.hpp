#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/record/comparison_file.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// Compares gradient descent with the flow, see compare_descent: same chains, same start, one
/// descent per learning rate. Writes `setting.output`, unless it is empty, at the end; on an
/// interrupt nothing is written, and the result holds the stages up to it. Throws InputError before
/// anything is written; WriteError when the output cannot be written.
ComparisonFile compare(const CompareSetting& setting, RunObserver* observer = nullptr);
/// \overload
ComparisonFile compare(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
