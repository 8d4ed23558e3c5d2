#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/difference.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/setting.hpp"

namespace GIHFLOW_API gihflow {

/// Part of a recorded run that can be computed again by itself: from the start of a stage or a
/// restart point to the next one, or to where the stage has come.
struct Stretch {
  Index number = 0;  ///< from 1, over all stages
  Index stage = 0;   ///< from 1
  Index point = 0;   ///< 0: from the stage's start; else from the point-th restart point
  double begin = 0;  ///< flow time since the stage's start
  double end = 0;
  Index steps = 0;            ///< accepted and rejected
  Index rhs_evaluations = 0;  ///< of these steps

  bool operator==(const Stretch&) const = default;
};

/// All stretches of a run, in order; together they are the whole run.
std::vector<Stretch> stretches(const TrainingState& state);

/// One quantity of a stretch, as recorded and as computed again.
struct AuditedQuantity {
  std::string name;
  NumberDifference numbers;
  std::optional<OutputPosition> first;  ///< first output that differs
};

/// A stretch computed again.
struct Audit {
  Stretch stretch;
  Index outputs = 0;  ///< recorded points in it
  /// What is recorded at the outputs; "state" and "counts" of the integrator at the stretch's end.
  std::vector<AuditedQuantity> quantities;
  std::string failure;  ///< where it could not be compared number by number; else empty

  /// Whether all of it is as it must be.
  bool passed() const;
};

/// Computes stretches of recorded runs again and compares bits. The chains are drawn, or read,
/// once.
class Auditor {
 public:
  /// Throws InputError when `path` is no run file, its config or state do not fit, or its chains
  /// are not those that it was computed from.
  explicit Auditor(const std::string& path, const AuditSetting& setting = {});
  /// The same of a run in memory, with chains that its caller holds; faults call it run.path.
  explicit Auditor(std::shared_ptr<const Resumption> run, const AuditSetting& setting = {},
                   const Inputs& held = {});
  ~Auditor();

  /// The run that is audited.
  const RunFile& run() const;
  /// What makes other bits likely: another version, compiler, instruction set; one sentence each.
  const std::vector<Phrase>& notes() const;
  /// Ends early, with a failure, on an interrupt.
  Audit audit(const Stretch& stretch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Stretches of a run computed again.
struct AuditReport {
  std::size_t stretches = 0;  ///< that the run has
  std::vector<Audit> audits;  ///< of those that were asked for
  std::vector<Phrase> notes;

  /// Whether all of it is as it must be.
  bool passed() const;
};

/// Audits the stretches of the run in the file `path` that the setting asks for: those of a stage,
/// the one that has a flow time in it, all, or one at random, which whoever wrote the file cannot
/// foresee. On an interrupt returns those done by then. Throws InputError as Auditor does, or where
/// there is no such stretch.
AuditReport audit(const std::string& path, const AuditSetting& setting = {},
                  RunObserver* observer = nullptr);
/// The same of a run in memory, see Auditor.
AuditReport audit(std::shared_ptr<const Resumption> run, const AuditSetting& setting = {},
                  RunObserver* observer = nullptr, const Inputs& held = {});

}  // namespace gihflow
