#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/objectives.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/problem.hpp"

namespace GIHFLOW_API gihflow {

/// A training run: the contents of its file, and its objectives.
struct Run : RunFile {
  /// The chains and the objectives on them; empty if nothing was left to do for a resumed run.
  Objectives objectives;

  /// Parameters at the last recorded point.
  const Parameters& final() const { return final_parameters(state); }
  /// Values of one of the snapshot_columns() of record/schema.hpp, such as "t", "loss" or "w", in a
  /// stage, counted from 0: [outputs, axes]. Throws InputError for an unknown stage or name.
  std::vector<double> column(std::string_view name, std::size_t stage = 0) const;
};

/// Trains as the setting says. The result is also what `setting.output` contains: outcome,
/// trajectory, baselines, standard errors, accuracy, timings.
///
/// The file is written right after the start, at the end of a stage (of each one up to 16 stages,
/// then less often) and at most every `checkpoint_every` seconds, each time as a whole. After a
/// stop by the caller's Interrupt, max_wall or flow.max_steps it contains the state to continue
/// from. With `setting.resume` the run in that file is continued in place, with the same bits as a
/// run that was never stopped, except `execution`; a run with nothing left to do is returned
/// unchanged, with a note. Baselines and standard errors are computed at the end, unless the run
/// was interrupted or ran out of wall time.
///
/// Throws InputError before anything is written; WriteError when an output cannot be written; the
/// last complete file stays in place. A numerical failure is an outcome, not an exception.
Run train(const TrainSetting& setting, RunObserver* observer = nullptr);
/// \overload
Run train(const Problem& problem, RunObserver* observer = nullptr);

/// Accuracy certificates of one stage.
struct Certificates {
  double loss_drop = 0;  ///< loss(0) − loss(end), nats
  /// Largest |loss(0) − loss(t) − dissipated(t)|, nats (3.5); NaN for infinite losses.
  double energy_residual = 0;
  double relative_residual = 0;  ///< energy_residual / loss_drop; NaN if the loss did not drop
  double gauge_drift = 0;        ///< largest |logsumexp θ − log C_D| (3.2)
  /// For every recorded quantity that the flow of the stage conserves, by its column's name: the
  /// largest change of one of its entries since the stage's start.
  std::vector<std::pair<std::string, double>> drifts = {};
  double loss_rise = 0;  ///< largest rise of the recorded loss between two outputs, ≥ 0, nats
};
/// Certificates of a recorded stage with at least one snapshot.
Certificates certificates(const StageRecord& stage);

/// Process exit code of an outcome: 0 reached, 3 numerical failure, 5 a limit, 130 interrupted.
int exit_code(Outcome outcome);

}  // namespace gihflow
