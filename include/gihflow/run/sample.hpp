#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// Chains that were drawn, and the data_hash that a run on them records.
struct Sample {
  Sequences sequences;  ///< no targets with sampled labels
  std::string tokens_hash;
};

/// Draws the chains of a setting. Writes them to `setting.output` and their kernels to
/// `setting.kernels_output`, unless these are empty. Throws InputError, and Interrupted, before
/// anything is written; WriteError when an output cannot be written.
Sample sample(const SampleSetting& setting, RunObserver* observer = nullptr);
/// \overload
Sample sample(const Problem& problem, RunObserver* observer = nullptr);

}  // namespace gihflow
