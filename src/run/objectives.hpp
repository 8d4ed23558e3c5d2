#pragma once

#include <memory>
#include <string>

#include "gihflow/population/objective.hpp"
#include "gihflow/run/problem.hpp"

namespace gihflow {

/// The chains that a run is trained and validated on, the objectives on them and the hashes of
/// both.
struct Objectives {
  std::shared_ptr<const SequenceSource> chains, validation_chains;  ///< null in infinite context
  std::shared_ptr<const Kernels> kernels, validation_kernels;       ///< null in finite context
  std::unique_ptr<Objective> training, validation;  ///< the latter null without validation chains
  std::string tokens_hash, validation_hash;         ///< the latter empty without validation chains
};

/// Draws chains or takes given ones, and builds the objectives. Decides in `problem` what its
/// setting left open, engine and device, so that every objective of a run, and of one that repeats,
/// continues or audits it, is computed the same way. Of a run that goes on, throws InputError
/// unless the hashes are its own.
Objectives make_objectives(Problem& problem);

}  // namespace gihflow
