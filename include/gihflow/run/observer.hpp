#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"
#include "gihflow/flow/flow.hpp"

namespace GIHFLOW_API gihflow {

/// Follows a call of a function of run/, on the thread that made the call.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// A note for the user.
  virtual void note(const Phrase& /*text*/) {}
  /// A part of the work begins: "drawing chains", "training", "baselines".
  virtual void phase(const std::string& /*name*/) {}
  /// After every step of an integrator or of gradient descent.
  virtual void progress(const Progress& /*progress*/) {}
};

/// Fraction of a run that is done, in [0, 1]: stages count equally, flow time in a stage
/// logarithmically.
double fraction_done(const Progress& progress);

}  // namespace gihflow
