#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/run/sweep.hpp"

namespace GIHFLOW_API gihflow {

/// Writes `setting.table`: a row for each member of the plan, whether its run is done or not, with
/// the options that are swept, how it ended, its last recorded point, certificates, baselines, and
/// the verdict of check() with plan.check; absent where there is no run or check does not apply. Of
/// plans with replicas also, for each point, means, standard deviations and quantiles of every
/// recorded column over its runs that are done. CSV, which has no room for these, where the path
/// ends in ".csv".
///
/// Reads and checks several members at a time on the threads of the Context. An interrupt ends it
/// and nothing is written. Throws InputError as sweep_status does and where the file exists and
/// `force_members` is false; WriteError.
SweepResult collect(const Plan& plan, const SweepSetting& setting,
                    SweepObserver* observer = nullptr);

/// Names of the columns that a table has beside the swept options, in order.
std::vector<std::string> table_columns();

}  // namespace gihflow
