#include "gihflow/run/train.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>

#include "base/ranks.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/record/schema.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/theory/accuracy.hpp"
#include "gihflow/theory/distance.hpp"
#include "run/following.hpp"

namespace gihflow {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[sizeof "0000-00-00T00:00:00Z"];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

std::string host_name() {
  utsname name{};
  return uname(&name) == 0 ? name.nodename : "";
}

// Adds this process to the record of a run and sets the texts of `execution` to its own.
void begin_process(const Setting& setting, Execution& execution) {
  ProcessRecord process;
  process.started = utc_now();
  process.host = execution.host = host_name();
  process.command_line = execution.command_line = setting.command_line;
  process.program_version = version();
  process.git_commit = git_commit();
  process.instruction_set = execution.instruction_set = instruction_set();
  process.threads = execution.threads = threads();
  process.ranks = execution.ranks = ranks() != nullptr ? ranks()->count() : 1;
  if (execution.started.empty()) execution.started = process.started;
  execution.output = setting.output;
  execution.compiler = compiler();
  execution.compiler_flags = compiler_flags();
  execution.library_versions = library_versions();
  execution.processes.push_back(std::move(process));
}

// Steps and right-hand sides of a run so far.
StepStatistics totals(const TrainingState& state) {
  StepStatistics sum;
  for (const StageRecord& stage : state.trajectory.stages) {
    sum.rhs_evaluations += stage.statistics.rhs_evaluations;
    sum.accepted_steps += stage.statistics.accepted_steps;
    sum.rejected_steps += stage.statistics.rejected_steps;
  }
  return sum;
}

std::vector<Index> lags_of(const Model& model) {
  std::vector<Index> lags;
  for (Index head = 0; head < model.heads; ++head) {
    for (Index component = 0; component < model.window; ++component) {
      lags.push_back(model.lag(head, component));
    }
  }
  return lags;
}

// S of GIH(S) in the baselines: the parents within the windows; if they are not known, the leading
// lags of the trained model.
std::vector<Index> baseline_lags(const Problem& problem, const Parameters& trained) {
  if (!problem.parents_known) return leading_lags(trained, problem.setting.model);
  std::vector<Index> lags = problem.setting.sampling.prior.parents;
  std::erase_if(lags, [&](Index lag) { return lag > problem.setting.model.widest(); });
  return lags;
}

// Writes the run file during training, and ends training on an interrupt or at the limit on wall
// time.
class Recorder final : public Observer {
 public:
  Recorder(const Setting& setting, RunFile& run, OutputFile* file, RunObserver& observer,
           Clock::time_point start)
      : setting_(setting),
        run_(run),
        file_(file),
        observer_(observer),
        start_(start),
        wall_before_(run.execution.wall_seconds),
        done_before_(totals(run.state)),
        written_stage_(run.state.stage) {}

  Outcome after_step(const TrainingState& state, const Progress& progress) override {
    const double step = seconds_since(last_step_);
    longest_step_ = std::max(longest_step_, step);
    observer_.progress(progress);
    if (due(state.stage)) {
      run_.state = state;
      write();
    }
    last_step_ = Clock::now();
    if (interrupt_requested()) return Outcome::interrupted;
    // Leaves time for one more step like the slowest and for the last checkpoint.
    const double needed = longest_step_ + longest_write_;
    if (setting_.max_wall && seconds_since(start_) + needed >= *setting_.max_wall) {
      return Outcome::wall_time;
    }
    return Outcome::running;
  }

  // Writes the present state of the run.
  void write() {
    const Clock::time_point begin = Clock::now();
    update_process();
    if (file_ != nullptr) {
      ++run_.execution.checkpoints;
      write_run(*file_, run_);
    }
    longest_write_ = std::max(longest_write_, seconds_since(begin));
    last_write_ = Clock::now();
    written_stage_ = run_.state.stage;
    written_ = true;
  }

 private:
  // Whether to write now: first where training takes longer than a moment, then at the times asked
  // for, and after the end of a stage, unless stages are so short that writing would take more than
  // a twentieth of the time.
  bool due(Index stage) const {
    constexpr double moment = 0.1, writes_between = 20.0;
    const double since = seconds_since(last_write_);
    if (since >= setting_.checkpoint_every) return true;
    if (!written_) return since >= moment;
    return stage > written_stage_ && since >= writes_between * longest_write_;
  }

  void update_process() {
    Execution& execution = run_.execution;
    ProcessRecord& process = execution.processes.back();
    const StepStatistics done = totals(run_.state);
    process.wall_seconds = seconds_since(start_);
    process.finished = utc_now();
    process.rhs_evaluations = done.rhs_evaluations - done_before_.rhs_evaluations;
    process.steps = done.accepted_steps + done.rejected_steps - done_before_.accepted_steps -
                    done_before_.rejected_steps;
    execution.wall_seconds = wall_before_ + process.wall_seconds;
    execution.finished = process.finished;
  }

  const Setting& setting_;
  RunFile& run_;
  OutputFile* file_;
  RunObserver& observer_;
  Clock::time_point start_;
  bool written_ = false;                         // by this process
  Clock::time_point last_write_ = Clock::now();  // or the start of training
  Clock::time_point last_step_ = Clock::now();
  double longest_write_ = 0.0;
  double longest_step_ = 0.0;
  double wall_before_;          // seconds of earlier processes
  StepStatistics done_before_;  // steps of earlier processes
  Index written_stage_;
};

class Training {
 public:
  Training(const Problem& problem, RunObserver* observer)
      : problem_(problem),
        setting_(problem_.setting),
        call_(problem_, observer),
        observer_(call_.observer) {
    if (problem_.resumed) {
      run_ = problem_.resumed->run;
      run_.schema_version = run_schema_version;
      file_ = problem_.resumed->file.get();
    } else if (!setting_.output.empty()) {
      own_file_ = std::make_unique<OutputFile>(setting_.output, setting_.force);
      file_ = own_file_.get();
    }
    begin_process(setting_, run_.execution);
  }

  Run run() {
    if (file_ != nullptr && !file_->note().empty()) observer_.note(file_->note());
    if (problem_.resumed) {
      const std::string over = nothing_left(run_, setting_.flow.max_steps, setting_.resume);
      if (!over.empty()) {
        observer_.note(over);
        return {problem_.resumed->run, {}};
      }
    }
    build_objectives();
    if (!problem_.resumed) run_.state = begin_training(problem_.start());
    Recorder recorder(setting_, run_, file_, observer_, start_);
    if (!has_ended(run_.state.outcome)) {
      run_.state.outcome = Outcome::running;
      run_.baselines.reset();
      run_.standard_errors.reset();
      run_.accuracy.reset();
      train(recorder);
    }
    report();
    recorder.write();
    return {std::move(run_), std::move(objectives_)};
  }

 private:
  void build_objectives() {
    observer_.phase(problem_.data ? "counting windows" : "drawing chains");
    const Clock::time_point begin = Clock::now();
    objectives_ = make_objectives(problem_);
    if (!objectives_.device_note.empty()) observer_.note(objectives_.device_note);
    run_.execution.device = setting_.device == Device::cuda ? "cuda, " + cuda_card() : "cpu";
    run_.tokens_hash = objectives_.tokens_hash;
    run_.validation_hash = objectives_.validation_hash;
    run_.provenance = problem_.provenance();
    run_.vocabulary = setting_.model.vocabulary;
    run_.lags = lags_of(setting_.model);
    run_.execution.statistics_seconds += seconds_since(begin);
  }

  void train(Recorder& recorder) {
    observer_.phase("training");
    const Clock::time_point begin = Clock::now();
    TrainingState state = run_.state;
    if (setting_.method == TrainingMethod::gd) {
      train_descent(state, setting_.stages, *objectives_.training, objectives_.validation.get(),
                    problem_.descent(), &recorder);
    } else {
      train_flow(state, setting_.stages, *objectives_.training, objectives_.validation.get(),
                 setting_.flow, &recorder);
    }
    run_.state = std::move(state);
    run_.execution.flow_seconds += seconds_since(begin);
  }

  // Computes baselines and standard errors of a run that has ended.
  void report() {
    const Outcome outcome = run_.state.outcome;
    if (outcome == Outcome::interrupted || outcome == Outcome::wall_time) return;
    try {
      const GivingUp on_interrupt;
      hold_against();
    } catch (const Interrupted&) {  // a resumption computes them again
      run_.standard_errors.reset();
      run_.accuracy.reset();
    }
  }

  void hold_against() {
    observer_.phase("baselines and standard errors");
    const Clock::time_point begin = Clock::now();
    const Parameters& trained = final_parameters(run_.state);
    if (value_errors(trained, "").empty())
      run_.standard_errors = objectives_.training->standard_errors(trained);
    RunBaselines lines;
    lines.lags = baseline_lags(problem_, trained);
    if (problem_.infinite()) {
      lines.training = baselines(*objectives_.kernels, setting_.model, lines.lags);
      if (objectives_.validation_kernels) {
        lines.validation = baselines(*objectives_.validation_kernels, setting_.model, lines.lags);
      }
    } else {
      lines.training = baselines(*objectives_.chains, setting_.model, lines.lags);
    }
    if (objectives_.validation_chains) {
      lines.validation = baselines(*objectives_.validation_chains, setting_.model, lines.lags);
    }
    if (!problem_.infinite() && value_errors(trained, "").empty())
      run_.accuracy = accuracy_of(trained);
    run_.baselines = std::move(lines);
    run_.execution.report_seconds += seconds_since(begin);
  }

  RunAccuracy accuracy_of(const Parameters& trained) const {
    RunAccuracy result;
    const Accuracy training = model_accuracy(*objectives_.chains, setting_.model, trained);
    result.training = training.share;
    result.training_error = training.error;
    if (objectives_.validation_chains) {
      const Accuracy validation =
          model_accuracy(*objectives_.validation_chains, setting_.model, trained);
      result.validation = validation.share;
      result.validation_error = validation.error;
    }
    return result;
  }

  Problem problem_;
  const Setting& setting_;
  Call call_;
  RunObserver& observer_;
  Clock::time_point start_ = Clock::now();
  std::unique_ptr<OutputFile> own_file_;
  OutputFile* file_ = nullptr;  // null: no file is written
  RunFile run_;
  Objectives objectives_;
};

}  // namespace

Run train(const Problem& problem, RunObserver* observer) {
  return Training(problem, observer).run();
}

Run train(const TrainSetting& setting, RunObserver* observer) {
  return train(prepare(setting), observer);
}

std::vector<double> Run::column(std::string_view name, std::size_t stage) const {
  const auto columns = snapshot_columns();
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const SnapshotColumn& c) { return c.name == name; });
  const std::vector<StageRecord>& stages = state.trajectory.stages;
  if (found == columns.end() || stage >= stages.size()) {
    throw InputError(Fault{.value = fmt::format("column {} of stage {}", name, stage),
                           .allowed = "must be one that was recorded"});
  }
  std::vector<double> values;
  for (const Snapshot& snapshot : stages[stage].snapshots) {
    const std::vector<double> row = found->get(snapshot);
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

Certificates certificates(const StageRecord& stage) {
  Certificates result;
  result.gauge_drift = stage.gauge_drift;
  if (stage.snapshots.empty()) return result;
  double before = stage.snapshots.front().loss;
  for (const Snapshot& snapshot : stage.snapshots) {
    const double residual = std::abs(snapshot.energy_residual);
    if (std::isnan(residual) || residual > result.energy_residual)  // NaN stays
      result.energy_residual = residual;
    result.loss_rise = std::max(result.loss_rise, snapshot.loss - before);
    before = snapshot.loss;
  }
  for (const SnapshotColumn& column : snapshot_columns()) {
    const Parameters& shape = stage.snapshots.front().parameters;
    if (column.conserved == nullptr || !column.is_of(shape) ||
        !column.conserved(stage.stage.blocks, shape))
      continue;
    const std::vector<double> start = column.get(stage.snapshots.front());
    double drift = 0.0;
    for (const Snapshot& snapshot : stage.snapshots) {
      const std::vector<double> there = column.get(snapshot);
      for (std::size_t i = 0; i < start.size(); ++i)
        drift = std::max(drift, std::abs(there[i] - start[i]));
    }
    result.drifts.emplace_back(column.name, drift);
  }
  result.loss_drop = stage.snapshots.front().loss - stage.snapshots.back().loss;
  result.relative_residual = result.loss_drop > 0.0 ? result.energy_residual / result.loss_drop
                                                    : std::numeric_limits<double>::quiet_NaN();
  return result;
}

int exit_code(Outcome outcome) {
  switch (outcome) {
    case Outcome::running:
    case Outcome::reached:
      return 0;
    case Outcome::step_underflow:
    case Outcome::non_finite:
      return 3;
    case Outcome::step_limit:
    case Outcome::wall_time:
      return 5;
    case Outcome::interrupted:
      return 130;
  }
  return 3;
}

}  // namespace gihflow
