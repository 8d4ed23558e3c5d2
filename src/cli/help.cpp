#include "cli/help.hpp"

#include <fmt/format.h>
#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/commands.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/population/device.hpp"
#include "gihflow/record/library.hpp"

namespace gihflow::cli {

namespace {

constexpr std::size_t line_width = 96;
constexpr std::size_t text_column = 30;
constexpr std::size_t narrow_column = 19;

// `text` broken into lines of at most line_width, each after the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string result, word;
  std::size_t column = indent;
  while (words >> word) {
    if (column > indent && column + 1 + word.size() > line_width) {
      result += fmt::format("\n{:{}}", "", indent);
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

std::string entry(const std::string& left, const std::string& text,
                  std::size_t indent = text_column) {
  std::string head = fmt::format("  {}", left);
  if (head.size() + 1 >= indent) head += "\n  ";  // too long to stand beside its text
  const std::size_t column = head.size() - (head.rfind('\n') + 1);
  return fmt::format("{}{:{}}{}\n", head, "", indent - column, wrapped(text, indent));
}

std::string short_entry(const std::string& left, const std::string& text) {
  return entry(left, text, narrow_column);
}

std::string default_of(const Option& option, Command command) {
  if (option.name == "output") return default_output(command);
  if (!option.unset.empty()) return option.unset;
  const std::optional<Value> value = option.get(default_setting(command));
  return value ? to_string(*value) : "";
}

std::string option_entry(const Option& option, Command command) {
  const std::string left = fmt::format(
      "{}--{}{}{}", option.short_name.empty() ? "" : fmt::format("-{}, ", option.short_name),
      option.name, option.value.empty() ? "" : " ", option.value);
  std::string text = option.help;
  if (option.kind != Kind::flag) {
    const std::string choices = option.choices.size() > 1 ? option.allowed + "; " : "";
    text += fmt::format(" ({}default {})", choices, default_of(option, command));
  }
  return entry(left, text);
}

const CommandText& text_of(Command command) {
  const auto texts = command_texts();
  return *std::find_if(texts.begin(), texts.end(),
                       [&](const CommandText& text) { return text.command == command; });
}

}  // namespace

std::span<const CommandText> command_texts() {
  static const std::vector<CommandText> texts{
      {Command::sample, "[OPTIONS]", "Draw chains and sequences; write them to HDF5",
       "Draws transition kernels from the prior, or takes them from a file, draws one sequence "
       "from each, and writes tokens and label distributions to a data file. The chains of a run are "
       "those of --config RUN --purpose train."},
      {Command::train, "[OPTIONS]", "Integrate the gradient flow through a schedule of stages",
       "Trains the two-attention-layer transformer by gradient flow through a schedule of "
       "stages and writes the trajectory to a run file. Without options it runs the three-stage "
       "experiment of the paper. Times are flow times, t = learning rate x steps; losses are in "
       "nats."},
      {Command::evaluate, "[OPTIONS]", "Loss and gradient at given parameters on given data",
       "Computes loss and gradient in (c, w, a) with their Monte Carlo standard errors, at "
       "parameters from a file or at the initial point, on sequences from a file or on the "
       "training chains of a setting."},
      {Command::rank, "[OPTIONS]", "Rank every set of lags by its chi-square mutual information",
       "Computes the modified chi-square mutual information of the next token and every set of "
       "lags beside the standard one, exact for each chain, with standard errors over chains; "
       "names the information set, its gap to the runner-up and that gap's z-score."},
      {Command::compare, "[OPTIONS]", "Hold gradient descent against the gradient flow",
       "Runs the gradient flow and gradient descent with several learning rates from the same "
       "point on the same chains, with the modified flow of each. Prints where they end apart, "
       "the observed order in the learning rate, the largest eigenvalue of the Hessian along "
       "the flow with the learning rates that it allows, and how C_D grows. Each TIME must be a "
       "whole number of steps."},
      {Command::show, "RUN [OPTIONS]", "What is in a run file",
       "Prints provenance, stages, certificates, final parameters and losses of a run file; "
       "with --config the settings of the run, for train --config."},
      {Command::check, "RUN [OPTIONS]", "Is a run's final model the limiting induction head?",
       "Compares the final model of a run with the generalised induction head of the "
       "information set S* of its prior, and with that of its own leading set, on fresh "
       "sequences: mean total variation, Kullback-Leibler divergence, agreement of the "
       "likeliest token. Exit code 0 if the total variation to the former is within the "
       "tolerance at every length and prior, else 1, and the missing part is named: selector "
       "(p), copier (attention) or classifier (a)."},
      {Command::diff, "A B [OPTIONS]", "Where two run files differ, and by how much",
       "Compares two run files, or two files of any kind, dataset by dataset: how many numbers "
       "have other bits, the largest absolute, relative and ULP difference, and the first "
       "recorded output that differs. How the runs were made, config and versions, is told "
       "apart; the group /execution is left out. Exit code 0 if all numbers have the same bits, "
       "else 1."},
      {Command::audit, "RUN [OPTIONS]", "Compute a stretch of a recorded run again, bit for bit",
       "Computes again what a run recorded between two of the states that its file keeps, on "
       "chains drawn or read again, and compares bits: by default one of some tens of "
       "stretches, drawn at random. Together the stretches are the whole run. Exit code 0 if "
       "all bits agree, else 1, with the first output that differs."},
      {Command::predict, "[OPTIONS]", "What theory predicts for a setting",
       "Prints the predictions of theory for the chains, the model and the start of a setting, "
       "stage by stage, each with the regime in which it is exact."},
      {Command::verify, "[OPTIONS]", "Hold the phase predictions of theory against the flow",
       "Runs the gradient flow where the predictions are sharp, measures, and prints predicted, "
       "measured, their difference and a verdict. Given a setting, by options or "
       "--config, it also tells how far finite a, finite context and spread attention move "
       "things. Exit code 0 if every row passes, else 1."},
  };
  return texts;
}

std::string program_help() {
  std::string text = fmt::format(
      "gihflow {}: gradient flow of transformers that learn generalised induction heads\n\n"
      "Usage: gihflow COMMAND [OPTIONS]\n\nCommands:\n",
      version());
  for (const CommandText& command : command_texts()) {
    text += short_entry(to_string(command.command), command.summary);
  }
  text += "\nOptions:\n";
  text += short_entry("-h, --help", "Print this help; after a command, the help on it");
  text += short_entry("--version", "Print version, build and level of reproducibility");
  text += "\nExit codes:\n";
  text += short_entry("0", "good");
  text += short_entry("1", "a check or verification failed");
  text += short_entry("2", "bad input or usage");
  text += short_entry("3", "numerical failure: step size underflow or values that are not finite");
  text += short_entry("4", "an output could not be written");
  text += short_entry("5", "a limit was reached (--max-wall, --max-steps); checkpoint written");
  text += short_entry("130", "interrupted; checkpoint written");
  return text;
}

std::string command_help(Command command) {
  const CommandText& about = text_of(command);
  std::string text = fmt::format("Usage: gihflow {} {}\n\n{}\n", to_string(command),
                                 about.arguments, wrapped(about.description, 0));
  std::string group;
  for (const Option& option : options()) {
    if (!option.belongs_to(command)) continue;
    if (option.group != group) text += fmt::format("\n{}:\n", option.group);
    group = option.group;
    text += option_entry(option, command);
  }
  if (command == Command::show) {
    text += entry("--config", "Print only the settings of the run, as a config that train reads");
  } else {
    text += "\nOther:\n";
  }
  if (!reads_run(command)) {
    text += entry("--config FILE",
                  "Read options from flat TOML, option names as keys, arrays for lists, or from "
                  "a file that gihflow wrote. Options on the command line win over it, it wins "
                  "over --preset");
  }
  text += entry("-h, --help", "Print this help");
  return text;
}

namespace {

std::string devices() {
  if (!built_with_cuda()) return "built without CUDA";
  return "built with CUDA, " +
         (cuda_fault().empty() ? "device auto is " + cuda_card() : "no card in reach");
}

}  // namespace

std::string version_text() {
  std::string text = fmt::format("gihflow {} (commit {})\n", version(), git_commit());
  text += short_entry("compiler", fmt::format("{}, {}", compiler(), compiler_flags()));
  text += short_entry("engines", fmt::format("dense, sparse, reference; {}", devices()));
  text += short_entry("instruction set", instruction_set());
  text += short_entry(
      "libraries",
      fmt::format("{}, {}, CLI11 {}, fmt {}.{}.{}, nlohmann-json {}.{}.{}", library_versions(),
                  file_library(), CLI11_VERSION, FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                  FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                  NLOHMANN_JSON_VERSION_PATCH));
  text += short_entry(
      "reproducibility",
      "the same build on the same machine gives the same bits, for any number of threads and "
      "whatever the output times, checkpoints and progress");
  return text;
}

}  // namespace gihflow::cli
