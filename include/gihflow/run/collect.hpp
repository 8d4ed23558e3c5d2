#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/run/sweep.hpp"

namespace GIHFLOW_API gihflow {

/// Writes `setting.table`: a row for each member of the plan, done or not, with the swept options,
/// its outcome, last recorded point, certificates, baselines, and the verdict of check() with
/// plan.check; values are absent if there is no run or check does not apply. For plans with
/// replicas it also has, for each point, means, standard deviations and quantiles of every recorded
/// column over the runs that are done. A path that ends in ".csv" gives CSV, without these
/// statistics.
///
/// Reads and checks several members at a time on the threads of the Context. On an interrupt
/// nothing is written. Throws InputError as sweep_status does, and if the file exists and
/// `force_members` is false; WriteError.
SweepResult collect(const Plan& plan, const SweepSetting& setting,
                    SweepObserver* observer = nullptr);

/// Names of the columns that a table can have beside the swept options, in order.
std::vector<std::string> table_columns();

}  // namespace gihflow
