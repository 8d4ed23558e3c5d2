#pragma once

#include "cli/commands.hpp"

namespace gihflow::cli {

/// A parsed command line.
struct Parsed {
  std::string answer;     ///< the help or another requested text; empty: run the command
  Invocation invocation;  ///< its command is null if none was named
};

/// A word of a command line, quoted if a shell needs it.
std::string shell_word(const std::string& word);

/// Splits a command line into options and their texts, which run/config.hpp assembles into a
/// setting. Finds all faults of usage, not only the first.
Parsed parse(int argc, char** argv);

}  // namespace gihflow::cli
