#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/flow/compare.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/output_file.hpp"

namespace GIHFLOW_API gihflow {

/// Contents of a file of `compare`; the layout is in docs/schema.md.
struct ComparisonFile {
  Provenance provenance;
  std::string tokens_hash;  ///< data_hash of the chains
  Comparison comparison;
};

/// Writes a comparison. Throws WriteError.
void write_comparison(OutputFile& file, const ComparisonFile& contents);

}  // namespace gihflow
