#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// Expected accuracy of one prediction y [d], formula (8.4): Σ T(e) over the maximisers e of y,
/// divided by their number.
double right_answers(std::span<const double> y, std::span<const double> target);

/// Accuracy (8.4), the mean over chains, with its standard error (NaN at N = 1).
struct Accuracy {
  double share = 0.0;
  double error = 0.0;
};

/// Accuracy of predictions [N·labels, d] against label laws of the same shape, `labels` consecutive
/// rows per chain.
Accuracy accuracy(std::span<const double> predictions, std::span<const double> targets,
                  Index vocabulary, Index labels = 1);

/// Accuracy of the model (2.3) at given parameters on every sequence of `source`. Draws the
/// sequences in batches; memory grows with N only by two numbers per chain. Throws InputError as
/// WindowSample does.
Accuracy model_accuracy(const SequenceSource& source, const Model& model,
                        const Parameters& parameters);

/// Upper bound in bytes of what model_accuracy takes, beside what drawing a sequence takes, on the
/// threads of the Context.
double accuracy_memory(const Model& model, Index chains, Index length);

}  // namespace gihflow
