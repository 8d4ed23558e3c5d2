#include "cli/help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Version.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gihflow/base/version.hpp"
#include "gihflow/population/device.hpp"
#include "gihflow/record/library.hpp"

namespace gihflow::cli {

namespace {

constexpr std::size_t line_width = 96;
constexpr std::size_t narrow_column = 19;

// `text` in lines of at most line_width, indented except the first.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string result, word;
  std::size_t column = indent;
  while (words >> word) {
    if (column > indent && column + 1 + word.size() > line_width) {
      result += fmt::format("\n{:{}}", "", indent);
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

std::string entry(const std::string& left, const std::string& text,
                  std::size_t indent = narrow_column) {
  std::string head = fmt::format("  {}", left);
  if (head.size() + 1 >= indent) head += "\n  ";  // too long for one line with its text
  const std::size_t column = head.size() - (head.rfind('\n') + 1);
  return fmt::format("{}{:{}}{}\n", head, "", indent - column, wrapped(text, indent));
}

std::string devices() {
  if (!built_with_cuda()) return "built without CUDA";
  return "built with CUDA, " + (cuda_fault().empty() ? "card " + cuda_card() : "no card in reach");
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  const bool program = app->get_parent() == nullptr;
  std::string text = program ? app->get_description() + "\n\n" : "";
  text += make_usage(app, name);
  if (!program) text += "\n" + wrapped(app->get_footer(), 0) + "\n";
  text += make_subcommands(app, mode) + "\n" + make_groups(app, mode);
  return program ? text + "\n" + app->get_footer() : text;
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string text = "Usage: " + name + (app->get_parent() == nullptr ? " COMMAND" : "");
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) continue;
    const char* const more = option->get_expected_max() > 1 ? "..." : "";
    const bool may_lack = option->get_description() == may_be_left_out;
    text += fmt::format(" {}{}{}{}", may_lack ? "[" : "", option->get_name(), more,
                        may_lack ? "]" : "");
  }
  return text + " [OPTIONS]\n";
}

std::string HelpFormatter::make_group(std::string heading, bool positional,
                                      std::vector<const CLI::Option*> options) const {
  std::string text = heading + ":\n";
  for (const CLI::Option* option : options) text += make_option(option, positional);
  return text;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool) const {
  std::vector<std::string> names;
  for (const std::string& letter : option->get_snames()) names.push_back("-" + letter);
  for (const std::string& word : option->get_lnames()) names.push_back("--" + word);
  const std::string value = option->get_type_name();
  return entry(fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ", value),
               option->get_description(), get_column_width());
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return entry(command->get_name(), command->get_description(), get_column_width());
}

std::string help_on(const Option& option, const Command& command) {
  const std::string text = words(option.help, option_spelling);
  if (option.kind == Kind::flag || !option.get) return text;
  std::string value = option.unset;
  if (value.empty()) value = to_string(option.get(command.defaults).value());
  const std::string choices = option.choices.size() > 1 ? option.allowed + "; " : "";
  return fmt::format("{} ({}default {})", text, choices, value);
}

std::span<const Explained> exit_codes() {
  static constexpr Explained codes[] = {
      {"0", "good"},
      {"1", "a check or verification failed"},
      {"2", "bad input or usage"},
      {"3", "numerical failure: step size underflow or values that are not finite"},
      {"4", "an output could not be written"},
      {"5", "a limit was reached (--max-wall, --max-steps); checkpoint written"},
      {"130", "interrupted; checkpoint written"}};
  return codes;
}

std::span<const Explained> first_commands() {
  static constexpr Explained commands[] = {
      {"gihflow train", "the paper's experiment, in about a second; writes run.h5"},
      {"gihflow report run.h5", "watch the induction head form; writes run.html for a browser"},
      {"gihflow example", "configs of other experiments, to run and to change"}};
  return commands;
}

std::string table_of(const std::string& title, std::span<const Explained> rows) {
  std::size_t column = narrow_column;
  for (const Explained& row : rows) column = std::max(column, row.text.size() + 4);
  std::string text = title + ":\n";
  for (const Explained& row : rows) {
    text += entry(std::string(row.text), std::string(row.meaning), column);
  }
  return text;
}

std::string title_line() {
  return fmt::format(
      "gihflow {}: gradient flow of transformers that learn generalised induction heads",
      version());
}

std::string first_screen() {
  return fmt::format(
      "{}\n\n{}\nUsage: gihflow COMMAND [OPTIONS]; gihflow --help lists all "
      "commands, gihflow COMMAND --help\nexplains one, as does man gihflow-COMMAND\n",
      title_line(), table_of("Three commands to try", first_commands()));
}

std::string version_text() {
  std::string text = fmt::format("gihflow {} (commit {})\n", version(), git_commit());
  text += entry("compiler", fmt::format("{}, {}", compiler(), compiler_flags()));
  text += entry("engines", fmt::format("dense, sparse, reference; {}", devices()));
  text += entry("instruction set", instruction_set());
  text += entry("libraries",
                fmt::format("{}, {}, CLI11 {}, fmt {}.{}.{}, nlohmann-json {}.{}.{}",
                            library_versions(), file_library(), CLI11_VERSION, FMT_VERSION / 10000,
                            FMT_VERSION / 100 % 100, FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR,
                            NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH));
  text += entry("reproducibility",
                "the same build on the same machine gives the same bits, for any number of threads "
                "and whatever the output times, checkpoints and progress");
  return text;
}

}  // namespace gihflow::cli
