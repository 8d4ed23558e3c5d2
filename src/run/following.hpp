#pragma once

#include <memory>
#include <string>

#include "gihflow/base/context.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace gihflow {

/// A call of a function of run/ on a problem: passes its notes to the observer and, while this
/// object lives, sets the number of threads if the problem has one.
class Call {
 public:
  Call(const Problem& problem, RunObserver* observer);

  /// Opens an output file and passes on its note; null if the path is empty.
  std::unique_ptr<OutputFile> output(const std::string& path, bool force) const;

  RunObserver& observer;  ///< the caller's, or one that ignores everything

 private:
  ContextScope scope_;
};

/// Passes the progress of an integrator to a RunObserver, and stops it on an interrupt.
class Following final : public Observer {
 public:
  explicit Following(RunObserver& observer) : observer_(observer) {}
  Outcome after_step(const TrainingState&, const Progress& progress) override {
    observer_.progress(progress);
    return interrupt_requested() ? Outcome::interrupted : Outcome::running;
  }

 private:
  RunObserver& observer_;
};

}  // namespace gihflow
