#pragma once

#include <memory>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"

namespace GIHFLOW_API gihflow {

/// What sample_recall refuses: a vocabulary of fewer than 3 tokens or too many, L below 3 or above
/// max_length, no chain at all.
ErrorList recall_errors(const SamplingOptions& options);

/// Sequences of the recall task (1.9), the one that induction heads are known by: x_1 … x_L uniform
/// on d − 1 ordinary tokens, but for the trigger, token d − 1, at a uniform position l₀ ≤ L − 2 and
/// at L; the label is x_{l₀+1}. Of `options` d, length, count, seed and purpose count. Nothing is
/// kept, so that a long sequence costs the memory of the one that is looked at. The label is
/// certain given the sequence: posterior_law and conditional_law are one-hot. Its parents are {1},
/// by which an induction head finds the label. Throws InputError with recall_errors.
std::unique_ptr<SequenceSource> sample_recall(const SamplingOptions& options);

}  // namespace gihflow
