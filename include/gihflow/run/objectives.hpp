#pragma once

#include <memory>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// The chains of a problem, the objectives on them and the hashes of both.
struct Objectives {
  std::shared_ptr<const SequenceSource> chains, validation_chains;  ///< null in infinite context
  std::shared_ptr<const Kernels> kernels, validation_kernels;       ///< null in finite context
  /// `validation` is null without validation chains, which `train` alone has.
  std::shared_ptr<const Objective> training, validation;
  std::string tokens_hash, validation_hash;  ///< the latter empty without validation chains
};

/// Draws chains or takes given ones, and builds the objectives. Replaces an engine or device of
/// `problem` that is automatic by the one that computes, so that every objective of a run, and of
/// one that repeats, continues or audits it, is computed the same way. Throws InputError where the
/// chains of a run that goes on do not have its hashes; Interrupted.
Objectives make_objectives(Problem& problem);

}  // namespace gihflow
