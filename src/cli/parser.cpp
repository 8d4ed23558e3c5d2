#include "cli/parser.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "cli/help.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/text.hpp"

namespace gihflow::cli {

namespace {

// Quoted where a shell would need it.
std::string shell_word(const std::string& word) {
  const bool plain =
      !word.empty() &&
      word.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%") ==
          std::string::npos;
  if (plain) return word;
  if (!is_plain_utf8(word)) {
    std::string escaped = "$'";
    for (const char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7f && c != '\'' && c != '\\') {
        escaped += c;
      } else {
        escaped += fmt::format("\\x{:02x}", byte);
      }
    }
    return escaped + "'";
  }
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_line(int argc, char** argv) {
  std::string text = "gihflow";
  for (int i = 1; i < argc; ++i) text += " " + shell_word(argv[i]);
  return text;
}

void add_options(CLI::App& app, Command command) {
  for (const Option& option : options()) {
    if (!option.belongs_to(command)) continue;
    const std::string names = option.short_name.empty()
                                  ? "--" + option.name
                                  : fmt::format("-{},--{}", option.short_name, option.name);
    if (option.kind == Kind::flag) {
      app.add_flag(names)->disable_flag_override();
    } else {  // an option given twice is found afterwards
      app.add_option(names)->type_size(1)->expected(1)->multi_option_policy(
          CLI::MultiOptionPolicy::TakeAll);
    }
  }
  if (command == Command::show) app.add_flag("--config");
  if (command == Command::diff) {
    app.add_option("A")->type_size(1)->expected(1);
    app.add_option("B")->type_size(1)->expected(1);
  } else if (reads_run(command)) {
    app.add_option("RUN")->type_size(1)->expected(1);
  } else {
    app.add_option("--config")
        ->type_size(1)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

std::vector<std::string> names_of(Command command) {
  std::vector<std::string> names{"help"};
  if (!reads_run(command) || command == Command::show) names.emplace_back("config");
  for (const Option& option : options()) {
    if (option.belongs_to(command)) names.push_back(option.name);
  }
  return names;
}

// Words that no option took. One after an unknown option is taken for its value.
void report_extras(const std::vector<std::string>& words, Command command,
                   std::vector<std::string>& errors) {
  bool after_option = false;
  for (const std::string& word : words) {
    const bool is_option = word.size() > 1 && word.front() == '-';
    if (is_option) {
      const std::string name = word.substr(0, word.find('='));
      const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
      const std::string near = nearest(bare, names_of(command));
      errors.push_back(fmt::format("{}: {} has no such option{}", name, to_string(command),
                                   near.empty() ? "; see gihflow " + to_string(command) + " --help"
                                                : "; the nearest is --" + near));
    } else if (!after_option) {
      errors.push_back(
          fmt::format("{}: unexpected argument of {}", shell_word(word), to_string(command)));
    }
    after_option = is_option && word.find('=') == std::string::npos;
  }
}

void collect(const CLI::App& app, Command command, Parsed& parsed) {
  const auto text_of = [&](const std::string& name, std::string& text) {
    const std::vector<std::string> given = app.get_option("--" + name)->results();
    if (given.size() > 1) {
      parsed.invocation.errors.push_back(
          fmt::format("--{} is given {} times: must be given once", name, given.size()));
    }
    if (!given.empty()) text = given.back();
    return !given.empty();
  };
  for (const Option& option : options()) {
    if (!option.belongs_to(command)) continue;
    std::string text;
    if (option.kind == Kind::flag) {
      if (app.count("--" + option.name) > 0) parsed.invocation.line.values[option.name] = "true";
    } else if (text_of(option.name, text)) {
      parsed.invocation.line.values[option.name] = text;
    }
  }
  if (command == Command::show) parsed.invocation.config_only = app.count("--config") > 0;
  if (command == Command::diff) {
    const auto a = app.get_option("A")->results(), b = app.get_option("B")->results();
    if (a.empty() || b.empty()) {
      parsed.invocation.errors.push_back("diff: must be followed by the paths of two files");
    } else {
      parsed.invocation.file = a.front();
      parsed.invocation.second_file = b.front();
    }
  } else if (reads_run(command)) {
    const std::vector<std::string> file = app.get_option("RUN")->results();
    if (file.empty()) {
      parsed.invocation.errors.push_back(
          fmt::format("{}: must be followed by the path of a run file", to_string(command)));
    } else {
      parsed.invocation.file = file.front();
    }
  } else {
    text_of("config", parsed.invocation.line.config);
  }
}

// CLI11's own complaints; those left that a user can meet are an option without its value and a
// flag with one.
std::string sentence_of(const CLI::ParseError& error) {
  std::string message = error.what();
  const std::string name = message.substr(0, message.find_first_of(": "));
  const std::string bare = name.starts_with("--") ? name.substr(2) : name;
  const Option* option = find_option(bare);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && option != nullptr) {
    return option->kind == Kind::flag
               ? fmt::format("--{}: takes no value", bare)
               : fmt::format("--{}: must be followed by {}", bare, option->allowed);
  }
  if (name == "--config") return "--config: must be followed by the path of a file";
  return message;
}

}  // namespace

Parsed parse(int argc, char** argv) {
  Parsed parsed;
  parsed.invocation.text = command_line(argc, argv);
  CLI::App app;
  app.allow_extras();
  app.add_flag("--version");
  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const CommandText& text : command_texts()) {
    CLI::App* sub = app.add_subcommand(to_string(text.command));
    sub->allow_extras();
    add_options(*sub, text.command);
    commands.emplace_back(sub, text.command);
  }
  std::string complaint;
  bool help = false;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    help = true;
  } catch (const CLI::ParseError& error) {
    complaint = sentence_of(error);
  }
  const std::vector<CLI::App*> named = app.get_subcommands();
  const auto called = std::find_if(commands.begin(), commands.end(), [&](const auto& entry) {
    return !named.empty() && entry.first == named.front();
  });
  parsed.has_command = called != commands.end();
  parsed.invocation.line.isolation = Isolation::child;
  if (parsed.has_command) parsed.invocation.line.command = called->second;
  if (help || app.count("--version") > 0) {
    parsed.action = help ? Parsed::Action::help : Parsed::Action::version;
    return parsed;
  }
  if (!complaint.empty()) {
    parsed.invocation.errors.push_back(complaint);
  } else if (parsed.has_command) {
    report_extras(called->first->remaining(), called->second, parsed.invocation.errors);
    collect(*called->first, called->second, parsed);
    for (const CLI::App* sub : named) {
      const std::size_t once = sub == named.front() ? 1 : 0;
      if (sub->count() > once) {
        parsed.invocation.errors.push_back(fmt::format("{}: unexpected argument of {}",
                                                       sub->get_name(), named.front()->get_name()));
      }
    }
    for (const std::string& word : app.remaining()) {
      parsed.invocation.errors.push_back(fmt::format("{}: must come after the command", word));
    }
  } else if (!app.remaining().empty()) {
    const std::string word = app.remaining().front();
    std::vector<std::string> names{"--help", "--version"};
    for (const CommandText& text : command_texts()) names.push_back(to_string(text.command));
    const std::string near = nearest(word, names);
    parsed.invocation.errors.push_back(
        fmt::format("{}: no such command{}", word,
                    near.empty() ? "; see gihflow --help" : "; the nearest is " + near));
  }
  return parsed;
}

}  // namespace gihflow::cli
