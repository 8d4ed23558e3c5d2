#pragma once

#include <span>
#include <string>

#include "gihflow/run/options.hpp"

namespace gihflow::cli {

/// What the help says about a command.
struct CommandText {
  Command command;
  std::string arguments;  ///< after the command's name in the usage line
  std::string summary;    ///< one line
  std::string description;
};
std::span<const CommandText> command_texts();

/// Help on the program, and on one of its commands with every option, its default and its unit.
std::string program_help();
std::string command_help(Command command);
/// Version, commit, compiler, engines, libraries, instruction set, level of reproducibility.
std::string version_text();

}  // namespace gihflow::cli
