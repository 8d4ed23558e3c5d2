#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/isolation.hpp"

namespace GIHFLOW_API gihflow {

/// Reads parameters: /c [subsets], /w [H, M], /a scalar, root attribute `degree`; optional the
/// other plain arrays by name (blocks.hpp), and /log_c_squared and /c_sign [subsets], which c must
/// agree with to 1e-9 and which are used instead of it. Of a run file it reads the group /final.
/// Throws InputError with every fault of the file: missing or mistyped fields, shapes that do not
/// fit together, values that are not finite, coefficients that are all zero.
Parameters read_parameters(const std::string& path, Isolation isolation = Isolation::in_process);

/// Writes a file that read_parameters accepts and reads back to an equal struct. Throws WriteError.
void write_parameters(OutputFile& file, const Parameters& parameters, const Provenance& provenance);

}  // namespace gihflow
