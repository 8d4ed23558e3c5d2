#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/verification.hpp"

namespace GIHFLOW_API gihflow {

/// Whether a setting says what to train, beside how to compute and where to write.
bool has_own_setting(const Setting& setting);

/// Verifies the predictions of theory §7, see theory/verification.hpp; for a setting that
/// has_own_setting, trains it too and adds its departures. Writes `setting.output`, unless that is
/// empty. On an interrupt returns what there is by then and writes nothing. Throws InputError;
/// WriteError when the output cannot be written.
Verification verify(const VerifySetting& setting, RunObserver* observer = nullptr);
/// \overload
Verification verify(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
