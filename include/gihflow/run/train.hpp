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

/// A training: what its file holds, and what it was trained on.
struct Run : RunFile {
  /// The chains and the objectives on them; empty where nothing was left to do for a resumed run.
  Objectives objectives;

  /// Parameters at the end of what was recorded.
  const Parameters& final() const { return final_parameters(state); }
  /// What a stage, counted from 0, recorded of one of the snapshot_columns() of record/schema.hpp,
  /// as "t", "loss" or "w": its rows at the output times behind one another. Throws InputError for
  /// a stage or a name that there is not.
  std::vector<double> column(std::string_view name, std::size_t stage = 0) const;
};

/// Trains as the setting says. What was recorded is also what `setting.output` then holds: how the
/// run ended, its trajectory, certificates, baselines, standard errors, timings.
///
/// The file is written right after the start, at the end of every stage and at most every
/// `checkpoint_every` seconds, each time as a whole; a stop by the caller's Interrupt, max_wall or
/// flow.max_steps leaves the state to continue from in it.
/// With `setting.resume` the run in that file goes on in place, and ends with the bits of a run
/// that was never stopped, `execution` apart; one with nothing left to do is returned as it is,
/// with a note. Baselines and standard errors are computed at the end, unless the run was
/// interrupted or ran out of wall time.
///
/// Throws InputError before anything is written; WriteError when an output cannot be written, the
/// last good one being left in place. A numerical failure is an outcome.
Run train(const TrainSetting& setting, RunObserver* observer = nullptr);
/// \overload
Run train(const Problem& problem, RunObserver* observer = nullptr);

/// Accuracy certificates of one stage.
struct Certificates {
  double loss_drop = 0;  ///< loss(0) − loss(end), nats
  double energy_residual =
      0;  ///< largest |loss(0) − loss(t) − dissipated(t)|, nats (3.5); NaN for infinite losses
  double relative_residual = 0;  ///< of it to the loss drop; NaN where the loss did not drop
  double gauge_drift = 0;        ///< largest |logsumexp θ − log C_D| (3.2)
  /// Of every recorded quantity that the flow of the stage conserves, by its column's name: the
  /// largest change of one of its numbers since the stage's start.
  std::vector<std::pair<std::string, double>> drifts = {};
  double loss_rise = 0;  ///< largest rise of the recorded loss between two outputs, ≥ 0, nats
};
/// Certificates of a recorded stage, which has at least one snapshot.
Certificates certificates(const StageRecord& stage);

/// Process exit code of an outcome: 0 reached, 3 numerical failure, 5 a limit, 130 interrupted.
int exit_code(Outcome outcome);

}  // namespace gihflow
