#pragma once

#include <span>
#include <string>
#include <vector>

#include "gihflow/run/problem.hpp"

namespace gihflow::cli {

struct Command;

/// One call of the program.
struct Invocation {
  const Command* command = nullptr;
  CommandLine line;
  std::string text;                ///< the command line as it was typed
  std::string file;                ///< the first word that follows the command's name
  std::vector<std::string> files;  ///< all of them
  bool config_only = false;        ///< of `show`
  ErrorList faults;                ///< of usage
};

/// A command of the program: the one place where it is declared. Its options are those of the
/// groups of its setting.
struct Command {
  std::string name;
  std::string summary;      ///< one line
  std::string description;  ///< for its help
  Groups groups = 0;
  Setting defaults = {};
  std::vector<std::string> files =
      {};                          ///< what follows its name, "RUN"; without any it has --config
  std::string files_allowed = {};  ///< "the path of a run file"
  bool may_lack_files = false;     ///< whether they may be left out
  bool takes_more_files = false;   ///< whether further ones may follow the last
  std::vector<std::string> suffixes = {"h5"};  ///< of the files; none where they are no files
  std::string default_output = {};             ///< file that it writes to when not told otherwise
  /// Prints results to stdout and returns the exit code. Throws InputError and WriteError.
  int (*run)(const Invocation&) = nullptr;

  /// Rows of the option table that it has, and rows of the program's own.
  std::vector<Option> options() const;
};
std::span<const Command> commands();

/// How the command line calls a setting: "--alpha".
std::string option_spelling(Field field);

/// The setting that a command line describes, with all faults, of usage first.
Assembled assembled(const Invocation& invocation);
/// The problem that a command line describes. Throws InputError with all errors, of usage first.
Problem prepare(const Invocation& invocation);
/// The same of what was assembled from it already.
Problem prepare(const Invocation& invocation, Assembled all);

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
