// The commands of the program.

#include "cli/commands.hpp"

namespace gihflow::cli {

int sample(const Invocation& invocation);
int train(const Invocation& invocation);
int evaluate(const Invocation& invocation);
int rank(const Invocation& invocation);
int compare(const Invocation& invocation);
int show(const Invocation& invocation);
int check(const Invocation& invocation);
int diff(const Invocation& invocation);
int audit(const Invocation& invocation);
int predict(const Invocation& invocation);
int verify(const Invocation& invocation);
int example(const Invocation& invocation);
int report(const Invocation& invocation);
int sweep(const Invocation& invocation);

namespace {

// A command with the groups and defaults of its setting, and the groups that only the program has.
template <class S, class... Program>
Command with(Command command) {
  command.groups = (groups_of<S> | ... | groups_of<Program>);
  command.defaults = Setting(S());
  return command;
}

struct NoSetting {};

std::vector<Command> make_commands() {
  return {
      with<SampleSetting, DryRunSetting, JsonSetting, QuietSetting>(
          {.name = "sample",
           .summary = "Draw chains and sequences; write them to HDF5",
           .description =
               "Draws transition kernels from the prior, or takes them from a file, draws one "
               "sequence from each, and writes tokens and label distributions to a data file. The chains of a run are those of --config RUN --purpose train.",
           .default_output = "data.h5",
           .run = sample}),
      with<TrainSetting, ReplicaSetting, JobSetting, DryRunSetting, JsonSetting, QuietSetting>(
          {.name = "train",
           .summary = "Integrate the gradient flow through a schedule of stages",
           .description =
               "Trains the two-attention-layer transformer by gradient flow through a schedule of "
               "stages and writes the trajectory to a run file. Without options it runs the "
               "three-stage experiment of the paper. Times are flow times, t = learning rate x "
               "steps; losses are in nats.",
           .default_output = "run.h5",
           .run = train}),
      with<SweepSetting, SweepActionSetting, DryRunSetting, JsonSetting, QuietSetting>(
          {.name = "sweep",
           .summary = "Train many members: a plan of options that are crossed",
           .description =
               "Trains every member of a plan, a config with the tables [grid] (lists of values of "
               "any options, crossed) and [zip] (lists taken together) and the key replicas (so "
               "many seeds), each as a process that writes a run file of its own into the "
               "directory. A second call runs what is missing; several calls may share a "
               "directory. Keys that check has decide how --collect judges final models.",
           .files = {"PLAN"},
           .files_allowed = "the path of a plan",
           .suffixes = {"toml"},
           .run = sweep}),
      with<EvaluateSetting, JsonSetting, QuietSetting>(
          {.name = "evaluate",
           .summary = "Loss and gradient at given parameters on given data",
           .description =
               "Computes loss and gradient in (c, w, a) with their Monte Carlo standard errors, "
               "at parameters from a file or at the initial point, on sequences from a file or on "
               "the training chains of a setting.",
           .run = evaluate}),
      with<RankSetting, JsonSetting, QuietSetting>(
          {.name = "rank",
           .summary = "Rank every set of lags by its chi-square mutual information",
           .description =
               "Computes the modified chi-square mutual information of the next token and every "
               "set of lags beside the standard one, exact for each chain, with standard errors "
               "over chains; names the information set, its gap to the runner-up and that gap's "
               "z-score.",
           .run = rank}),
      with<CompareSetting, DryRunSetting, JsonSetting, QuietSetting>(
          {.name = "compare",
           .summary = "Compare gradient descent with the gradient flow",
           .description =
               "Runs the gradient flow and gradient descent with several learning rates from the "
               "same point on the same chains, with the modified flow of each. Prints where they "
               "end apart, the observed order in the learning rate, the largest eigenvalue of the "
               "Hessian along the flow with the learning rates that it allows, and how C_D grows. "
               "Each TIME must be a whole number of steps.",
           .default_output = "compare.h5",
           .run = compare}),
      with<NoSetting, JsonSetting>(
          {.name = "show",
           .summary = "What is in a run file",
           .description =
               "Prints provenance, stages, certificates, final parameters and losses of a run "
               "file; with --config the settings of the run, for train --config.",
           .files = {"RUN"},
           .files_allowed = "the path of a run file",
           .run = show}),
      with<CheckSetting, JsonSetting, QuietSetting>(
          {.name = "check",
           .summary = "Is a run's final model the limiting induction head?",
           .description =
               "Compares the final model of a run with the generalised induction head of the "
               "information set S* of its prior, and with that of its own leading set, on fresh "
               "sequences: mean total variation, Kullback-Leibler divergence, agreement of the "
               "likeliest token. Exit code 0 if the total variation to the former is within the "
               "tolerance at every length and prior, else 1, and the missing part is named: "
               "selector (p), copier (attention) or classifier (a).",
           .files = {"RUN"},
           .files_allowed = "the path of a run file",
           .run = check}),
      with<ReportSetting, QuietSetting>(
          {.name = "report",
           .summary = "Write a page that shows runs over flow time",
           .description =
               "Writes one page in HTML for a browser, without anything else to load: a slider over "
               "flow time moves the attention of every head, the weights, the scale, the losses "
               "and what the model makes of a sequence of the run; below are predictions beside "
               "what was measured, the verdict of check, certificates, provenance and config. "
               "Several runs stand side by side. Of a table that sweep --collect or train --replicas "
               "wrote: a chosen quantity over two swept options, and all members, sortable.",
           .files = {"RUN"},
           .files_allowed = "the paths of run files, or that of a table",
           .takes_more_files = true,
           .default_output = "RUN.html",
           .run = report}),
      with<NoSetting, JsonSetting>(
          {.name = "diff",
           .summary = "Where two run files differ, and by how much",
           .description =
               "Compares two run files, or two files of any kind, dataset by dataset: how many "
               "numbers have other bits, the largest absolute, relative and ULP difference, and "
               "the first recorded output that differs. How the runs were made, config and "
               "versions, is told apart; the group /execution is left out. Exit code 0 if all "
               "numbers have the same bits, else 1.",
           .files = {"A", "B"},
           .files_allowed = "the paths of two files",
           .run = diff}),
      with<AuditSetting, JsonSetting, QuietSetting>(
          {.name = "audit",
           .summary = "Compute a stretch of a recorded run again, bit for bit",
           .description =
               "Computes again what a run recorded between two of the states that its file keeps, "
               "on chains drawn or read again, and compares bits: by default one of some tens of "
               "stretches, drawn at random. Together the stretches are the whole run. Exit code 0 "
               "if all bits agree, else 1, with the first output that differs.",
           .files = {"RUN"},
           .files_allowed = "the path of a run file",
           .run = audit}),
      with<PredictSetting, JsonSetting, QuietSetting>(
          {.name = "predict",
           .summary = "What theory predicts for a setting",
           .description =
               "Prints the predictions of theory for the chains, the model and the start of a "
               "setting, stage by stage, each with the regime in which it is exact.",
           .run = predict}),
      with<VerifySetting, JsonSetting, QuietSetting>(
          {.name = "verify",
           .summary = "Compare the phase predictions of theory with the flow",
           .description =
               "Runs the gradient flow where the predictions are sharp, measures, and prints "
               "predicted, measured, their difference and a verdict. Given a setting, by options "
               "or --config, it also prints prediction and measurement for it, without a verdict. "
               "Exit code 0 if every row passes, else 1.",
           .default_output = "verify.h5",
           .run = verify}),
      with<OutputSetting, JsonSetting>(
          {.name = "example",
           .summary = "List configs of experiments, or write one to run",
           .description =
               "Lists configs of experiments that others have run with this program and described; "
               "given the name of one it writes that as a config file, whose first lines say what "
               "it is and which command runs it.",
           .files = {"NAME"},
           .files_allowed = "the name of an example",
           .may_lack_files = true,
           .suffixes = {},
           .default_output = "NAME.toml",
           .run = example}),
  };
}

// A row without a member of a setting; the program reads its value itself.
Option own_option(Field field, Kind kind, const char* value, const char* help) {
  Option option;
  option.field = field;
  option.kind = kind;
  option.value = value;
  option.role = Role::handling;
  option.heading = "Other";
  option.help = help;
  option.allowed = kind == Kind::text ? "the path of a file" : "true or false";
  return option;
}

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> all = make_commands();
  return all;
}

std::vector<Option> Command::options() const {
  std::vector<Option> rows;
  for (const Option& option : gihflow::options()) {
    if (!option.belongs_to(groups)) continue;
    rows.push_back(option);
    if (option.field != Field::output || default_output.empty()) continue;
    rows.back().unset = default_output;
    rows.back().suffixes = {default_output.substr(default_output.rfind('.') + 1)};
  }
  if (files.empty()) {
    rows.push_back(own_option(
        Field::config, Kind::text, "FILE",
        "Read options from flat TOML, option names as keys, arrays for lists, or from a file that "
        "gihflow wrote. Options on the command line win over it, it wins over --preset"));
    rows.back().suffixes = {"toml", "h5"};
  } else if (run == show) {
    rows.push_back(own_option(Field::config, Kind::flag, "",
                              "Print only the settings of the run, as a config that train reads"));
  }
  return rows;
}

}  // namespace gihflow::cli
