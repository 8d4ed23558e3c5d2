#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/theory/verification.hpp"

namespace GIHFLOW_API gihflow {

/// Whether a setting says what to train: an option of Role::problem was given or differs from its
/// default.
bool has_own_setting(const Setting& setting);

/// Verifies the predictions of theory §7, see theory/verification.hpp; if has_own_setting(setting),
/// also integrates its flow and adds its departures. Writes `setting.output`, unless it is empty.
/// On an interrupt it returns the results so far and writes nothing. Throws InputError; WriteError
/// when the output cannot be written.
Verification verify(const VerifySetting& setting, RunObserver* observer = nullptr);
/// \overload
Verification verify(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
