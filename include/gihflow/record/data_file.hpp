#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/record/isolation.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/provenance.hpp"

namespace GIHFLOW_API gihflow {

/// Reads sequences: /tokens, any integer type, [N, L+1], last column the label; root attribute
/// `vocabulary_size`; optional /targets [N, d]; optional root attribute `parents`. Without /targets
/// the result has none, which means one-hot labels. Throws InputError with every fault of the file:
/// missing or mistyped fields, shapes, tokens outside 0 … d−1, target rows that are negative, not
/// finite or refused by sums_to_one(), parents that do not increase or exceed L, an attribute
/// `tokens_hash` that is not the hash of the data, sizes beyond memory_limit().
Sequences read_data(const std::string& path, Isolation isolation = Isolation::in_process);

/// Writes a file that read_data accepts, with its `tokens_hash`; no /targets if the sequences have
/// none. Throws WriteError.
void write_data(OutputFile& file, const Sequences& sequences, const Provenance& provenance);

}  // namespace gihflow
