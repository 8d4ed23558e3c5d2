#pragma once

#include <memory>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"

namespace GIHFLOW_API gihflow {

/// The faults that sample_recall throws: a vocabulary outside [3, 65,535], L outside [3,
/// max_length], count < 1.
ErrorList recall_errors(const SamplingOptions& options);

/// Sequences of the recall task (1.9), the classical test of induction heads: x_1 … x_L uniform on
/// d − 1 ordinary tokens, but for the trigger, token d − 1, at a uniform position l₀ ≤ L − 2 and at
/// L; the label is x_{l₀+1}. Of `options` only d, length, count, seed and purpose are read.
/// Sequences are drawn when asked for and not stored. The sequence determines the label, so
/// posterior_law and conditional_law of it are one-hot. parents() is {1}, the lag at which an
/// induction head matches. Throws InputError with recall_errors.
std::unique_ptr<SequenceSource> sample_recall(const SamplingOptions& options);

}  // namespace gihflow
