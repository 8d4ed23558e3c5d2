#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gihflow/base/version.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

/// The engine on sufficient statistics; lanes 8 (dense), 1 (sparse), 0 (whichever is cheaper). The
/// hot loops run in the version for `set`, by default the machine's best.
std::unique_ptr<Objective> make_tiled_objective(const Model& model, const SequenceSource& source,
                                                int lanes,
                                                const std::string& set = instruction_set());

/// The slow oracle; keeps the tokens.
std::unique_ptr<Objective> make_reference_objective(const Model& model,
                                                    const SequenceSource& source);

/// Mean and standard error of the mean of per-chain numbers; the error is NaN for one chain.
struct MeanError {
  double mean, error;
};
MeanError mean_error(std::span<const double> values);

/// Standard errors from each chain's own loss and gradient: rows [N, 1 + subsets + H·M + 1] of
/// loss, ∂ℓ/∂c, ∂ℓ/∂w, ∂ℓ/∂a.
StandardErrors errors_of_rows(const std::vector<double>& rows, Index chains, Index subsets,
                              Index logits);

}  // namespace gihflow
