#pragma once

#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace gihflow::cli {

/// Output of `gihflow --generate KIND`: "man" is the manual page of a command, or of the program if
/// it is null; "bash", "zsh" and "fish" are completions for these shells. Throws InputError for
/// another kind, and for a shell with a command.
std::string generated(const std::string& kind, const Command* command);

/// The manual page in the man macros of roff, UTF-8.
std::string manual_page(const Command* command);
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// An option of the program itself.
struct ProgramOption {
  std::string names;  ///< "-h, --help"
  std::string value;  ///< "KIND"; empty for a flag
  std::string help;
  std::vector<std::string> choices = {};
};
std::vector<ProgramOption> program_options();

}  // namespace gihflow::cli
