#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gihflow/base/export.hpp"

#include "gihflow/record/run_file.hpp"

namespace GIHFLOW_API gihflow {

/// What a recorded quantity is called, in files, JSON and tables alike, and what it means.
struct Description {
  const char* name;
  const char* units;    ///< "1" where there is none
  const char* meaning;  ///< the attribute long_name of a dataset
  /// Axes, after those of the table that it stands in: "" one number, "S" [subsets], "HM" [H, M].
  const char* axes = "";
  const char* note = "";  ///< what docs/schema.md adds to the meaning
};

/// A quantity recorded at every output time of a stage. The table of them, snapshot_columns(), is
/// all that writing, reading, hashing, auditing and comparing snapshots know of them.
struct SnapshotColumn : Description {
  std::vector<double> (*get)(const Snapshot&);
  /// Puts a row back into a snapshot whose parameters have their sizes; null where the quantity
  /// only follows from others.
  void (*set)(Snapshot&, std::span<const double>) = nullptr;
  /// The column that it must agree with, but for rounding; empty: none.
  const char* follows_from = "";
  bool in_runs = true;
  bool in_comparisons = false;  ///< for the flow and for every learning rate
  bool of_validation = false;   ///< recorded only where there are validation chains
};

/// In the order of a file; the first is t, the scale of the others.
std::span<const SnapshotColumn> snapshot_columns();

template <class T, class Record>
concept Of = std::same_as<std::remove_const_t<T>, Record>;

// describe(visit, record) calls visit(Description, member) for every member of a record, in the
// order of a file.

void describe(auto&& visit, Of<Provenance> auto& x) {
  visit(Description{"program_version", "1", "version of the program"}, x.program_version);
  visit(Description{"git_commit", "1", "commit of the program", "",
                    "ends in `-dirty` if the sources differed from it"},
        x.git_commit);
  visit(Description{"config", "1", "TOML with all settings, defaults resolved", "",
                    "`train --config` with it, or with the file itself, repeats the run bit for "
                    "bit"},
        x.config);
  visit(Description{"seed", "1", "seed of all random draws"}, x.seed);
}

void describe(auto&& visit, Of<StepStatistics> auto& x) {
  visit(Description{"rhs_evaluations", "1",
                    "gradients the integrator asked for, rejected steps and Jacobian columns "
                    "included"},
        x.rhs_evaluations);
  visit(Description{"jacobian_columns", "1", "of them, derivatives of gradients for Jacobians"},
        x.jacobian_columns);
  visit(Description{"output_evaluations", "1", "gradients computed for recorded points only"},
        x.output_evaluations);
  visit(Description{"accepted_steps", "1", "accepted steps"}, x.accepted_steps);
  visit(Description{"rejected_steps", "1", "rejected steps"}, x.rejected_steps);
  visit(Description{"non_finite_steps", "1",
                    "steps that were rejected because something was not finite"},
        x.non_finite_steps);
}

/// The attributes of a stage; its snapshots, switches and restart points are tables.
void describe(auto&& visit, Of<StageRecord> auto& x) {
  visit(Description{"trained", "1", "blocks that move", "", "letters of `cwa`"}, x.stage);
  visit(Description{"duration", "flow time", "flow time that the schedule asks for"},
        x.stage.duration);
  visit(Description{"outcome", "1", "how the stage ended"}, x.outcome);
  visit(Description{"hint", "1", "what to try, for an outcome that is a failure", "", "else empty"},
        x.hint);
  visit(Description{"integrator", "1", "the method that was asked for", "",
                    "`auto`, `dopri5`, `fehlberg78`, `rodas5p`, or the optimizer of gradient "
                    "descent"},
        x.integrator);
  visit(Description{"gauge_drift", "1", "largest error of (3.2) before gauge fixing", "",
                    "$\\max_t \\lvert \\log\\sum_S e^{\\theta_S(t)} - \\log C_D \\rvert$"},
        x.gauge_drift);
  describe(visit, x.statistics);
}

void describe(auto&& visit, Of<IntegratorSwitch> auto& x) {
  visit(Description{"time", "flow time", "flow time since the start of the stage"}, x.t);
  visit(Description{"from", "1", "method before"}, x.from);
  visit(Description{"to", "1", "method after"}, x.to);
  visit(Description{"reason", "1", "what decided"}, x.reason);
}

void describe(auto&& visit, Of<ProcessRecord> auto& x) {
  visit(Description{"started", "1", "start, UTC"}, x.started);
  visit(Description{"finished", "1", "last write of the file, UTC"}, x.finished);
  visit(Description{"host", "1", "machine"}, x.host);
  visit(Description{"command_line", "1", "command line"}, x.command_line);
  visit(Description{"program_version", "1", "version of the program"}, x.program_version);
  visit(Description{"git_commit", "1", "commit of the program"}, x.git_commit);
  visit(Description{"instruction_set", "1", "instruction set of the hot loops"}, x.instruction_set);
  visit(Description{"threads", "1", "threads"}, x.threads);
  visit(Description{"steps", "1", "steps made, rejected ones included"}, x.steps);
  visit(Description{"rhs_evaluations", "1", "right-hand sides that its steps took"},
        x.rhs_evaluations);
  visit(Description{"wall_seconds", "s", "wall time"}, x.wall_seconds);
}

/// The attributes of /execution; its processes are a table.
void describe(auto&& visit, Of<Execution> auto& x) {
  visit(Description{"host", "1", "machine"}, x.host);
  visit(Description{"device", "1", "`cpu`, or `cuda` and the card's name"}, x.device);
  visit(Description{"threads", "1", "threads"}, x.threads);
  visit(Description{"command_line", "1", "command line"}, x.command_line);
  visit(Description{"output", "1", "the file, as the command line named it"}, x.output);
  visit(Description{"started", "1", "start, UTC", "", "of the first process"}, x.started);
  visit(Description{"finished", "1", "last write of the file, UTC"}, x.finished);
  visit(Description{"compiler", "1", "compiler of the program"}, x.compiler);
  visit(Description{"compiler_flags", "1", "its flags"}, x.compiler_flags);
  visit(Description{"instruction_set", "1", "instruction set of the hot loops"}, x.instruction_set);
  visit(Description{"library_versions", "1", "libraries that the program is built with"},
        x.library_versions);
  visit(Description{"checkpoints", "1", "times that the file was written"}, x.checkpoints);
  visit(Description{"wall_seconds", "s", "wall time so far"}, x.wall_seconds);
  visit(Description{"statistics_seconds", "s",
                    "of it, drawing or reading chains and counting windows"},
        x.statistics_seconds);
  visit(Description{"flow_seconds", "s", "of it, training, writing the file included"},
        x.flow_seconds);
  visit(Description{"report_seconds", "s", "of it, baselines and standard errors"},
        x.report_seconds);
}

void describe(auto&& visit, Of<Baselines> auto& x) {
  visit(Description{"gih_loss", "nats", "loss of GIH(S)", "",
                    "in place of the model (8.1); infinite where $\\varepsilon = 0$ and a possible "
                    "token was never seen"},
        x.gih_loss);
  visit(Description{"gih_loss_standard_error", "nats", "standard error of the loss of GIH(S)"},
        x.gih_loss_error);
  visit(Description{"posterior_loss", "nats", "cross-entropy of the posterior predictor", "",
                    "(1.4); absent in infinite context and for given data or kernels"},
        x.posterior_loss);
  visit(Description{"posterior_loss_standard_error", "nats",
                    "standard error of the cross-entropy of the posterior predictor"},
        x.posterior_loss_error);
  visit(Description{"entropy_floor", "nats", "entropy of the labels", "",
                    "floor for any predictor (8.3)"},
        x.entropy_floor);
  visit(Description{"entropy_floor_standard_error", "nats",
                    "standard error of the entropy of the labels"},
        x.entropy_floor_error);
}

void describe(auto&& visit, Of<StandardErrors> auto& x) {
  visit(Description{"loss", "nats", "standard error of the training loss at /final"}, x.loss);
  visit(Description{"c", "nats", "standard error of the gradient in c", "S"}, x.c);
  visit(Description{"w", "nats", "standard error of the gradient in w", "HM"}, x.w);
  visit(Description{"a", "nats", "standard error of the gradient in a"}, x.a);
}

}  // namespace gihflow
