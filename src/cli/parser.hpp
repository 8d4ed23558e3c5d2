#pragma once

#include "cli/commands.hpp"

namespace gihflow::cli {

/// What a command line asks for.
struct Parsed {
  std::string answer;     ///< the help or another text that was asked for; empty: run the command
  Invocation invocation;  ///< without a command where none was named
};

/// A word of a command line, quoted where a shell would need it.
std::string shell_word(const std::string& word);

/// Splits a command line into options and their texts, see run/config.hpp for what becomes of them.
/// All faults of usage are found, not the first alone.
Parsed parse(int argc, char** argv);

}  // namespace gihflow::cli
