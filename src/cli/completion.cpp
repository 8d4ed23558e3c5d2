// Completions of shells, written from the commands and the rows of their options.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/make_fault.hpp"
#include "cli/generate.hpp"
#include "cli/help.hpp"
#include "gihflow/base/version.hpp"

namespace gihflow::cli {

namespace {

using Words = std::vector<std::string>;

// The values of --generate.
const Words& kinds() {
  static const Words all{"man", "bash", "zsh", "fish"};
  return all;
}

// An option of a command or of the program, as completions need it.
struct Row {
  Words names;  // "-o", "--output"
  std::string help;
  bool takes_value = false;
  Words choices, suffixes;
  std::string value;
};

Row row_of(const ProgramOption& option) {
  Row row{{}, option.help, !option.value.empty(), option.choices, {}, option.value};
  const std::size_t comma = option.names.find(", ");
  if (comma != std::string::npos) row.names.push_back(option.names.substr(0, comma));
  row.names.push_back(option.names.substr(comma == std::string::npos ? 0 : comma + 2));
  return row;
}

std::vector<Row> rows_of_program() {
  std::vector<Row> rows;
  for (const ProgramOption& option : program_options()) rows.push_back(row_of(option));
  return rows;
}

std::vector<Row> rows_of(const Command& command) {
  std::vector<Row> rows;
  for (const Option& option : command.options()) {
    Row row{{},
            words(option.help, option_spelling),
            option.kind != Kind::flag,
            option.choices,
            option.suffixes,
            option.value};
    if (!option.short_name.empty()) row.names.push_back("-" + option.short_name);
    row.names.push_back("--" + option.name());
    rows.push_back(std::move(row));
  }
  rows.push_back(row_of(program_options().front()));
  return rows;
}

Words names_of(const std::vector<Row>& rows) {
  Words names;
  for (const Row& row : rows) names.insert(names.end(), row.names.begin(), row.names.end());
  return names;
}

Words command_names() {
  Words names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

std::string head(const char* shell) {
  return fmt::format("# Completion of gihflow {} for {}, as gihflow --generate {} prints it.\n",
                     version(), shell, shell);
}

// Quoted for bash and zsh.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// --- bash ----------------------------------------------------------------------------------------

// The case for the value of an option.
std::string bash_value(const Row& row) {
  const std::string pattern = fmt::format("      {})", fmt::join(row.names, "|"));
  if (!row.choices.empty()) {
    return fmt::format("{} words='{}' ;;\n", pattern, fmt::join(row.choices, " "));
  }
  if (!row.suffixes.empty()) {
    return fmt::format("{} suffixes='{}' ;;\n", pattern, fmt::join(row.suffixes, "|"));
  }
  return fmt::format("{} return ;;\n", pattern);
}

std::string bash_case(const std::string& name, const std::vector<Row>& rows, const Words& more,
                      const Words& suffixes) {
  Words words = names_of(rows);
  words.insert(words.end(), more.begin(), more.end());
  std::string text = fmt::format("  {}) case $previous in\n", name);
  for (const Row& row : rows) {
    if (row.takes_value) text += bash_value(row);
  }
  const std::string files =
      fmt::format("[[ $current != -* ]] && suffixes='{}'; ", fmt::join(suffixes, "|"));
  return text + fmt::format("      *) {}words='{}' ;;\n    esac ;;\n",
                            suffixes.empty() ? "" : files, fmt::join(words, " "));
}

}  // namespace

std::string bash_completion() {
  std::string text = head("bash");
  text += R"sh(_gihflow() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command= words= suffixes= i
  COMPREPLY=()
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD && ${#command} == 0; i++)); do
    case ${COMP_WORDS[i]} in
)sh";
  text += fmt::format("    {}) command=${{COMP_WORDS[i]}} ;;\n", fmt::join(command_names(), "|"));
  text += "    esac\n  done\n  case $command in\n";
  for (const Command& command : commands()) {
    text += bash_case(command.name, rows_of(command), {},
                      command.files.empty() ? Words() : command.suffixes);
  }
  text += bash_case("*", rows_of_program(), command_names(), {});
  return text + R"sh(  esac
  if [[ $suffixes ]]; then
    compopt -o filenames 2>/dev/null
    shopt -q extglob; local had_extglob=$?; shopt -s extglob
    mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X "!*.@($suffixes)" -- "$current")
    [[ $had_extglob == 0 ]] || shopt -u extglob
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -F _gihflow gihflow
)sh";
}

// --- zsh -----------------------------------------------------------------------------------------

namespace {

// Text for zsh's _arguments, with `special` characters escaped.
std::string zsh_text(const std::string& text, const char* special) {
  std::string result;
  for (const char c : text) {
    if (std::string_view(special).find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_files(const Words& suffixes) {
  return fmt::format("_files -g \"*.{}\"", fmt::join(suffixes, " *."));
}

std::string zsh_spec(const Row& row) {
  std::string value;
  if (row.takes_value) {
    const std::string action = !row.choices.empty()
                                   ? fmt::format("({})", fmt::join(row.choices, " "))
                               : !row.suffixes.empty() ? zsh_files(row.suffixes)
                                                       : " ";
    value = fmt::format(":{}:{}", zsh_text(row.value, ":\\"), action);
  }
  std::string text;
  for (const std::string& name : row.names) {
    // "=" allows --option=value.
    const bool is_long = name.rfind("--", 0) == 0;
    text += " \\\n        " + quoted(fmt::format("({}){}{}[{}]{}", fmt::join(row.names, " "), name,
                                                 row.takes_value && is_long ? "=" : "",
                                                 zsh_text(row.help, "[]\\:"), value));
  }
  return text;
}

}  // namespace

std::string zsh_completion() {
  std::string text = "#compdef gihflow\n" + head("zsh");
  text += R"sh(_gihflow() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -S)sh";
  for (const ProgramOption& option : program_options()) text += zsh_spec(row_of(option));
  text += R"sh( \
        '1:command:->command' '*::argument:->argument'
  case $state in
  command)
    local -a commands=(
)sh";
  for (const Command& command : commands()) {
    text +=
        fmt::format("      {}\n", quoted(command.name + ":" + zsh_text(command.summary, ":\\")));
  }
  text +=
      "    )\n    _describe -t commands command commands ;;\n  argument)\n    case $line[1] in\n";
  for (const Command& command : commands()) {
    text += fmt::format("    {}) _arguments -S", command.name);
    for (const Row& row : rows_of(command)) text += zsh_spec(row);
    if (!command.files.empty()) {
      const std::string action = command.suffixes.empty() ? " " : zsh_files(command.suffixes);
      for (std::size_t i = 0; i < command.files.size(); ++i) {
        const bool more = command.takes_more_files && i + 1 == command.files.size();
        text += " \\\n        " + quoted(fmt::format("{}:{}:{}", more ? "*" : std::to_string(i + 1),
                                                     command.files[i], action));
      }
    }
    text += " ;;\n";
  }
  return text + R"sh(    esac ;;
  esac
}
if [[ $funcstack[1] == _gihflow ]]; then _gihflow "$@"; else compdef _gihflow gihflow; fi
)sh";
}

// --- fish ----------------------------------------------------------------------------------------

namespace {

// Quoted for fish, where a backslash in single quotes escapes only itself and a quote.
std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::string fish_files(const Words& suffixes) {
  std::string text;
  for (const std::string& suffix : suffixes) {
    text += fmt::format("{}(__fish_complete_suffix .{})", text.empty() ? "" : " ", suffix);
  }
  return text;
}

std::string fish_line(const std::string& condition, const Row& row) {
  std::string text = fmt::format("complete -c gihflow -n {}", fish_quoted(condition));
  for (const std::string& name : row.names) {
    const bool is_long = name.rfind("--", 0) == 0;
    text += is_long ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (row.takes_value) text += " -x";
  if (!row.choices.empty()) {
    text += " -a " + fish_quoted(fmt::format("{}", fmt::join(row.choices, " ")));
  } else if (!row.suffixes.empty()) {
    text += " -a " + fish_quoted(fish_files(row.suffixes));
  }
  return text + " -d " + fish_quoted(row.help) + "\n";
}

}  // namespace

std::string fish_completion() {
  std::string text = head("fish") + "complete -c gihflow -f\n";
  const std::string none =
      fmt::format("not __fish_seen_subcommand_from {}", fmt::join(command_names(), " "));
  for (const ProgramOption& option : program_options()) text += fish_line(none, row_of(option));
  for (const Command& command : commands()) {
    text += fmt::format("complete -c gihflow -n {} -a {} -d {}\n", fish_quoted(none), command.name,
                        fish_quoted(command.summary));
  }
  for (const Command& command : commands()) {
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    for (const Row& row : rows_of(command)) text += fish_line(condition, row);
    if (!command.files.empty() && !command.suffixes.empty()) {
      text += fmt::format("complete -c gihflow -n {} -a {}\n", fish_quoted(condition),
                          fish_quoted(fish_files(command.suffixes)));
    }
  }
  return text;
}

// --- Any kind ------------------------------------------------------------------------------------

std::vector<ProgramOption> program_options() {
  return {{"-h, --help", "", "Print help, after a command the help on it"},
          {"--version", "", "Print version, build and level of reproducibility"},
          {"--generate", "KIND",
           "Print a manual page (man; with a command after it that of the command) or completions "
           "of a shell (bash, zsh, fish)",
           kinds()}};
}

std::string generated(const std::string& kind, const Command* command) {
  const auto found = std::find(kinds().begin(), kinds().end(), kind);
  if (found == kinds().end()) {
    throw InputError(fault("--generate", kind, "must be man, bash, zsh or fish"));
  }
  if (kind == "man") return manual_page(command);
  if (command != nullptr) {
    throw InputError(fault("--generate", kind, "is for all commands; leave out {}", command->name));
  }
  return kind == "bash" ? bash_completion() : kind == "zsh" ? zsh_completion() : fish_completion();
}

}  // namespace gihflow::cli
