#pragma once

#include <memory>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// The chains of a problem, the objectives on them and the hashes of the chains.
struct Objectives {
  std::shared_ptr<const SequenceSource> chains, validation_chains;  ///< null in infinite context
  std::shared_ptr<const Kernels> kernels, validation_kernels;       ///< null in finite context
  /// `validation` is null without validation chains; only `train` has them.
  std::shared_ptr<const Objective> training, validation;
  std::string tokens_hash, validation_hash;  ///< the latter empty without validation chains
  /// Which device `auto` has become, and the times of a gradient; empty unless both were measured.
  Phrase device_note;
};

/// Draws chains or takes given ones, and builds the objectives. Replaces an automatic engine or
/// device of `problem` by the chosen one, so that all objectives of a run, and of runs that repeat,
/// continue or audit it, are computed the same way. Device `auto` becomes the faster one for the
/// gradients of the schedule, without a schedule for many: a gradient is timed on the CPU, and on a
/// card if one may be worth its start. Throws InputError if the chains of a continued run do not
/// have its hashes; Interrupted.
Objectives make_objectives(Problem& problem);

}  // namespace gihflow
