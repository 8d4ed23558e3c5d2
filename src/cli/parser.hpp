#pragma once

#include "cli/commands.hpp"

namespace gihflow::cli {

/// What a command line asks for.
struct Parsed {
  enum class Action { run, help, version };
  Action action = Action::run;
  bool has_command = false;  ///< else help is about the program
  Invocation invocation;
};

/// Splits a command line into option names and texts; what they mean is checked later, so that all
/// errors come at once.
Parsed parse(int argc, char** argv);

}  // namespace gihflow::cli
