#pragma once

#include <memory>
#include <string>

#include "gihflow/base/context.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace gihflow {

/// A call of a function of run/ on a problem: passes on its notes, and works on its number of
/// threads, if it names one, for as long as this object lives.
class Call {
 public:
  Call(const Problem& problem, RunObserver* observer);

  /// Opens a file that the problem asks for and passes on its note; null without a path.
  std::unique_ptr<OutputFile> output(const std::string& path, bool force) const;

  RunObserver& observer;  ///< the caller's, or one that ignores everything

 private:
  ContextScope scope_;
};

/// Passes on the progress of an integrator, and stops it on an interrupt.
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
