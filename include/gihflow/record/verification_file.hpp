#pragma once

#include "gihflow/base/export.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/theory/verification.hpp"

namespace GIHFLOW_API gihflow {

/// Writes a verification, layout in docs/schema.md: root attribute `passed`; a group /comparisons
/// with one group per row, whose attributes are the fields of VerificationRow; /curves with one
/// group per curve, datasets x, measured, predicted; /departures with one group per line. Throws
/// WriteError.
void write_verification(OutputFile& file, const Verification& verification,
                        const Provenance& provenance);

}  // namespace gihflow
