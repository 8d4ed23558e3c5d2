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
  std::string text;                ///< the whole command line
  std::string file;                ///< the first file after the command's name
  std::vector<std::string> files;  ///< all files
  bool config_only = false;        ///< `show --config`
  ErrorList faults;                ///< faults of usage
};

/// A row of the table of commands. A command has the options of the groups of its setting.
struct Command {
  std::string name;
  std::string summary;      ///< one line
  std::string description;  ///< for its help
  Groups groups = 0;
  Setting defaults = {};
  std::vector<std::string> files =
      {};                          ///< arguments after its name, "RUN"; without any it has --config
  std::string files_allowed = {};  ///< "the path of a run file"
  bool may_lack_files = false;     ///< whether the arguments may be left out
  bool takes_more_files = false;   ///< whether more may follow
  /// Of the files; empty if the arguments are not files.
  std::vector<std::string> suffixes = {"h5"};
  std::string default_output = {};  ///< output without --output
  /// Prints results to stdout and returns the exit code. Throws InputError and WriteError.
  int (*run)(const Invocation&) = nullptr;

  /// Its rows of the option table, and rows of the program's own.
  std::vector<Option> options() const;
};
std::span<const Command> commands();

/// The name of a setting on the command line: "--alpha".
std::string option_spelling(Field field);

/// The setting of a command line, with all faults, those of usage first.
Assembled assembled(const Invocation& invocation);
/// The problem of a command line. Throws InputError with all faults, those of usage first.
Problem prepare(const Invocation& invocation);
/// The same from its assembled setting.
Problem prepare(const Invocation& invocation, Assembled all);

/// Prints to stdout. Throws WriteError.
void print(const std::string& text);
/// Writes a message to stderr. A message that cannot be written is lost; nothing is thrown.
void say(const std::string& text) noexcept;
/// Prints estimates of memory and time to a terminal, unless quiet or a run is continued.
void announce_cost(const Problem& problem);
/// With --dry-run prints the problem's notes to stderr, unless quiet, and its size to stdout, as a
/// table or as JSON. Returns whether it did.
bool answered_dry_run(const Problem& problem);

}  // namespace gihflow::cli
