#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <string>

#include "cli/commands.hpp"

namespace gihflow::cli {

/// Help as CLI11 composes it, in lines that a terminal holds. The text on a command is its footer;
/// its description is the line in the list of commands.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::size_t text_column) { column_width(text_column); }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_group(std::string heading, bool positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

/// What the help says of an option: its text, its choices and its default.
std::string help_on(const Option& option, const Command& command);
std::string exit_codes();
/// Version, commit, compiler, engines, libraries, instruction set, level of reproducibility.
std::string version_text();

}  // namespace gihflow::cli
