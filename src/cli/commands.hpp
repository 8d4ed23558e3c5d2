#pragma once

#include <string>
#include <vector>

#include "gihflow/run/problem.hpp"

namespace gihflow::cli {

/// One call of the program.
struct Invocation {
  CommandLine line;
  std::string text;                 ///< the command line as it was typed
  std::string file;                 ///< of `show`, `check` and `audit`; the first of `diff`
  std::string second_file;          ///< of `diff`
  bool config_only = false;         ///< of `show`
  std::vector<std::string> errors;  ///< of usage, one sentence each
};

/// Each command prints its results to stdout and returns the exit code.
/// Throws InputError and WriteError.
int sample(const Invocation& invocation);
int train(const Invocation& invocation);
int evaluate(const Invocation& invocation);
int show(const Invocation& invocation);
int rank(const Invocation& invocation);
int compare(const Invocation& invocation);
int check(const Invocation& invocation);
int predict(const Invocation& invocation);
int verify(const Invocation& invocation);
int diff(const Invocation& invocation);
int audit(const Invocation& invocation);

/// Whether a command is about files, which follow its name.
inline bool reads_run(Command command) {
  return command == Command::show || command == Command::check || command == Command::diff ||
         command == Command::audit;
}

/// Faults of usage.
ErrorList usage_faults(const Invocation& invocation);
/// How the command line calls a setting: "--alpha".
std::string option_spelling(Field field);

/// The problem that a command line describes. Throws InputError with all errors, of usage first.
Problem prepare(const Invocation& invocation);

/// Prints to stdout; throws WriteError when that fails.
void print(const std::string& text);
/// Writes a message to stderr. A message that cannot be written is lost; nothing is thrown.
void say(const std::string& text) noexcept;
/// Prints "note: …" to stderr for every remark, unless quiet.
void print_notes(const Problem& problem);
/// Tells a terminal what memory and time the whole will take, unless quiet or a run is continued.
void announce_cost(const Problem& problem);
/// What --dry-run prints: the size of the problem, as a table or as JSON.
void print_estimate(const Problem& problem);

}  // namespace gihflow::cli
