#pragma once

#include <span>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"

namespace GIHFLOW_API gihflow {

/// Expected share of right answers of one prediction y [d], formula (8.4): Σ T(e) over the
/// maximisers e of y, divided by their number.
double right_answers(std::span<const double> y, std::span<const double> target);

/// Share of right answers over chains, with its standard error over them (NaN at N = 1).
struct Accuracy {
  double share = 0.0;
  double error = 0.0;
};

/// Of predictions [N, d] against label laws [N, d]; or of so many of both for each chain.
Accuracy accuracy(std::span<const double> predictions, std::span<const double> targets,
                  Index vocabulary, Index labels = 1);

/// Of the model (2.3) at given parameters, on every sequence of `source`: draws them once more,
/// some at a time, so that memory stays bounded whatever N is. Throws InputError as WindowSample
/// does.
Accuracy model_accuracy(const SequenceSource& source, const Model& model,
                        const Parameters& parameters);

/// Bytes that it takes at most, beside what drawing a sequence takes, on as many threads as the
/// context says.
double accuracy_memory(const Model& model, Index chains, Index length);

}  // namespace gihflow
