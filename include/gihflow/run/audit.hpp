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

/// Part of a recorded run that can be recomputed by itself: from the start of a stage or a restart
/// point to the next restart point, or to the last state of the stage.
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

/// Difference between recorded and recomputed values of one quantity of a stretch.
struct AuditedQuantity {
  std::string name;
  NumberDifference numbers;
  std::optional<OutputPosition> first;  ///< first output that differs
};

/// Result of recomputing a stretch.
struct Audit {
  Stretch stretch;
  Index outputs = 0;  ///< recorded points in it
  /// The columns recorded at the outputs; "state" and "counts" of the integrator at the stretch's
  /// end.
  std::vector<AuditedQuantity> quantities;
  std::string failure;  ///< why it could not be compared number by number; else empty

  /// Whether all numbers agree bit for bit.
  bool passed() const;
};

/// Recomputes stretches of a recorded run and compares bits. The chains are drawn, or read, once.
class Auditor {
 public:
  /// Throws InputError if `path` is not a run file, its config or state are not valid, or the
  /// chains do not have the run's hash.
  explicit Auditor(const std::string& path, const AuditSetting& setting = {});
  /// The same for a run in memory, with chains that the caller holds; faults name it run->path.
  explicit Auditor(std::shared_ptr<const Resumption> run, const AuditSetting& setting = {},
                   const Inputs& held = {});
  ~Auditor();

  /// The run that is audited.
  const RunFile& run() const;
  /// Reasons to expect other bits: another version, compiler or instruction set; one sentence each.
  const std::vector<Phrase>& notes() const;
  /// Recomputes a stretch. On an interrupt it ends early, with a failure.
  Audit audit(const Stretch& stretch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Audits of stretches of a run.
struct AuditReport {
  std::size_t stretches = 0;  ///< of the run
  std::vector<Audit> audits;  ///< of the chosen stretches
  std::vector<Phrase> notes;

  /// Whether all audits passed.
  bool passed() const;
};

/// Audits stretches of the run in the file `path`: those of a stage, the one that contains a flow
/// time, all, or by default one chosen at random, so that the writer of the file cannot foresee it.
/// On an interrupt it returns the audits done so far. Throws InputError as Auditor does, or if
/// there is no such stretch.
AuditReport audit(const std::string& path, const AuditSetting& setting = {},
                  RunObserver* observer = nullptr);
/// The same for a run in memory, see Auditor.
AuditReport audit(std::shared_ptr<const Resumption> run, const AuditSetting& setting = {},
                  RunObserver* observer = nullptr, const Inputs& held = {});

}  // namespace gihflow
