#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// Reads transition kernels: /kernels [N, dⁿ, d], `parents` an attribute of the root or of the
/// dataset; layout as of Kernels. Throws InputError with every fault of the file: missing or
/// mistyped fields, shapes that do not fit together, rows that are negative, not finite or refused
/// by sums_to_one(), parents that do not increase or differ between the two places.
Kernels read_kernels(const std::string& path, Isolation isolation = Isolation::in_process);

/// Writes a file that read_kernels accepts. Throws WriteError.
void write_kernels(OutputFile& file, const Kernels& kernels, const Provenance& provenance);

}  // namespace gihflow
