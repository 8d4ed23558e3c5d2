#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <span>
#include <string>
#include <string_view>

#include "cli/commands.hpp"

namespace gihflow::cli {

/// CLI11's help, wrapped to line_width. The description of a command is printed as the footer of
/// its help; CLI11's description is its line in the list of commands.
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

/// CLI11's description of an argument that may be left out.
inline constexpr char may_be_left_out[] = "may be left out";

/// Help of an option: its text, choices and default.
std::string help_on(const Option& option, const Command& command);

/// A term and its meaning.
struct Explained {
  std::string_view text, meaning;
};
std::span<const Explained> exit_codes();
/// Commands for a first try.
std::span<const Explained> first_commands();
/// "Title:" and a line per row.
std::string table_of(const std::string& title, std::span<const Explained> rows);
/// Name, version and what the program is, in one line.
std::string title_line();
/// Output of `gihflow` without arguments.
std::string first_screen();
/// Version, commit, compiler, engines, libraries, instruction set, level of reproducibility.
std::string version_text();

}  // namespace gihflow::cli
