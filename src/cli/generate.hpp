#pragma once

#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace gihflow::cli {

/// What `gihflow --generate KIND` prints: "man" is the manual page of a command, or of the program
/// for a null one; "bash", "zsh" and "fish" are completions of the program for these shells. Throws
/// InputError for another kind, and for a command beside a shell.
std::string generated(const std::string& kind, const Command* command);

/// The manual page in the man macros of roff, UTF-8.
std::string manual_page(const Command* command);
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// An option that belongs to the program and to no command.
struct ProgramOption {
  std::string names;  ///< "-h, --help"
  std::string value;  ///< "KIND"; empty for a flag
  std::string help;
  std::vector<std::string> choices = {};
};
std::vector<ProgramOption> program_options();

}  // namespace gihflow::cli
