#include "cli/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/make_fault.hpp"
#include "cli/generate.hpp"
#include "cli/help.hpp"
#include "gihflow/base/text.hpp"
#include "gihflow/base/version.hpp"

namespace gihflow::cli {

namespace {

constexpr std::size_t command_column = 19, option_column = 30;

Fault usage(const std::string& word, const std::string& sentence) {
  return {Field::none, "", sentence, word};
}

// The program's CLI11 application, and what it parsed.
class Program {
 public:
  // `words` are what it will parse: a command that is not among them needs no options.
  explicit Program(const std::vector<std::string>& words) : app_(title_line(), "gihflow") {
    app_.allow_extras();
    app_.formatter(std::make_shared<HelpFormatter>(command_column));
    const std::vector<ProgramOption> own = program_options();
    app_.set_help_flag("-h,--help", own[0].help);
    app_.add_flag("--version")->description(own[1].help);
    app_.add_option("--generate", generate_)->type_name(own[2].value)->description(own[2].help);
    app_.footer(table_of("Exit codes", exit_codes()));
    for (const Command& command : commands())
      add(command, std::find(words.begin(), words.end(), command.name) != words.end());
  }

  // Throws CLI::ParseError.
  void parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    app_.parse(std::move(words));
  }

  // The command that was named; null for none or an unknown one.
  const Command* command() const {
    const auto named = app_.get_subcommands();
    const auto all = commands();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Command& command) {
      return !named.empty() && command.name == named.front()->get_name();
    });
    return found == all.end() ? nullptr : &*found;
  }
  bool asks_for_version() const { return app_.count("--version") > 0; }
  bool asks_for_text() const { return app_.count("--generate") > 0; }
  // Output of --generate. Throws InputError.
  std::string generated_text() const { return generated(generate_, command()); }
  std::string help() const { return app_.help(); }
  // Adds a fault for each word that --version or --generate, which answer without running a
  // command, have no use for.
  void report_unused(const std::vector<std::string>& words, ErrorList& faults) const {
    const bool text = asks_for_text();
    const std::string option = text ? "--generate" : "--version";
    const Command* const named = text ? command() : nullptr;
    for (const std::string& word : words) {
      const bool used = word.substr(0, word.find('=')) == option ||
                        (named != nullptr && word == named->name) || (text && word == generate_);
      if (used) continue;
      const bool unknown = text && named == nullptr && word.substr(0, 1) != "-";
      faults.add(unknown ? unknown_command(word)
                         : usage(shell_word(word), "unexpected argument of " + option));
    }
  }

  // The parsed options of the command.
  Invocation invocation(const std::vector<std::string>& words) {
    found_.command = command();
    if (found_.command == nullptr) {
      if (!app_.remaining().empty()) found_.faults.add(unknown_command(app_.remaining().front()));
      return std::move(found_);
    }
    found_.line.groups = found_.command->groups;
    found_.line.defaults = found_.command->defaults;
    found_.line.defaults.isolation = Isolation::child;
    report_extras(words);
    for (const auto& [field, texts] : flags_)
      if (!texts.empty()) take(field, texts);
    report_empty_flags(words);
    if (files_.size() < found_.command->files.size() && !found_.command->may_lack_files) {
      found_.faults.add(
          usage(found_.command->name, "must be followed by " + found_.command->files_allowed));
    }
    files_.resize(std::max(files_.size(), found_.command->files.size()));
    if (!files_.empty()) found_.file = files_.front();
    found_.files = files_;
    return std::move(found_);
  }

 private:
  void add(const Command& command, bool with_options) {
    CLI::App* sub = app_.add_subcommand(command.name, command.summary)->group("Commands");
    if (!with_options) return;
    sub->allow_extras();
    sub->footer(command.description);
    sub->formatter(std::make_shared<HelpFormatter>(option_column));
    for (const Option& option : command.options()) add(*sub, option, command);
    for (const std::string& file : command.files) {
      CLI::Option* added = nullptr;
      if (command.takes_more_files && &file == &command.files.back()) {
        added = sub->add_option_function<std::vector<std::string>>(
            file, [this](const std::vector<std::string>& paths) {
              files_.insert(files_.end(), paths.begin(), paths.end());
            });
      } else {
        added = sub->add_option_function<std::string>(
            file, [this](const std::string& path) { files_.push_back(path); });
      }
      added->type_name("")->description(command.may_lack_files ? may_be_left_out : "");
    }
    sub->set_help_flag("-h,--help", "Print this help")->group("Other");
  }

  void add(CLI::App& sub, const Option& option, const Command& command) {
    const Field field = option.field;
    const std::string names = option.short_name.empty()
                                  ? "--" + option.name()
                                  : fmt::format("-{},--{}", option.short_name, option.name());
    CLI::Option* added = nullptr;
    if (option.kind == Kind::flag && option.role == Role::problem) {
      // A flag that a preset sets can be unset: --rectify=false.
      added = sub.add_flag(names, flags_[field]);
    } else if (option.kind == Kind::flag) {
      added = sub.add_flag_callback(names, [this, field] { take(field, {"true"}); })
                  ->disable_flag_override();
    } else {
      added = sub.add_option(names,
                             [this, field](const CLI::results_t& texts) {
                               take(field, texts);
                               return true;
                             })
                  ->type_name(option.value)
                  ->type_size(1)
                  ->expected(1)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    added->description(help_on(option, command))->group(option.heading);
  }

  void take(Field field, const std::vector<std::string>& texts) {
    if (texts.size() > 1) {
      found_.faults.add(
          Fault{Field::none, "", "must be given once",
                fmt::format("{} is given {} times", option_spelling(field), texts.size())});
    }
    if (field != Field::config) {
      found_.line.values[field] = texts.back();
    } else if (texts.back() == "true" && command()->files.size() == 1) {
      found_.config_only = true;
    } else {
      found_.line.config = texts.back();
    }
  }

  // CLI11 takes --rectify= for --rectify.
  void report_empty_flags(const std::vector<std::string>& words) {
    for (const std::string& word : words)
      for (const auto& [field, texts] : flags_)
        if (word == fmt::format("--{}=", name(field)))
          found_.faults.add(Fault{field, "", "must be true or false", ""});
  }

  static Fault unknown_command(const std::string& word) {
    std::vector<std::string> names{"--help", "--version"};
    for (const Command& command : commands()) names.push_back(command.name);
    const std::string near = nearest(word, names);
    return usage(shell_word(word), "no such command" + (near.empty() ? "; see gihflow --help"
                                                                     : "; the nearest is " + near));
  }

  // Faults of words that are no option or argument. A word after an unknown option counts as its
  // value.
  void report_extras(const std::vector<std::string>& words) {
    const auto named = app_.get_subcommands();
    const std::string& command = found_.command->name;
    std::vector<std::string> names{"help"};
    for (const Option& option : found_.command->options()) names.push_back(option.name());
    const auto unexpected = [&](const std::string& word) {
      found_.faults.add(usage(shell_word(word), "unexpected argument of " + command));
    };
    bool after_option = false;
    for (const std::string& word : named.front()->remaining()) {
      if (word == "--") continue;
      const bool is_option = word.size() > 1 && word.front() == '-';
      if (is_option) {
        const std::string name = word.substr(0, word.find('='));
        const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
        const std::string near = nearest(bare, names);
        found_.faults.add(
            usage(name, fmt::format("{} has no such option; {}", command,
                                    near.empty() ? "see gihflow " + command + " --help"
                                                 : "the nearest is --" + near)));
      } else if (!after_option) {
        unexpected(word);
      }
      after_option = is_option && word.find('=') == std::string::npos;
    }
    for (const CLI::App* sub : named) {
      const std::size_t once = sub == named.front() ? 1 : 0;
      if (sub->count() > once) unexpected(sub->get_name());
    }
    const auto begin = std::find(words.begin(), words.end(), command);
    for (const std::string& word : app_.remaining()) {
      if (word == "--") continue;
      if (std::find(words.begin(), begin, word) == begin) {
        unexpected(word);
      } else {
        found_.faults.add(usage(word, "must come after the command"));
      }
    }
  }

  CLI::App app_;
  std::string generate_;
  Invocation found_;
  std::vector<std::string> files_;                   // arguments after the command's name
  std::map<Field, std::vector<std::string>> flags_;  // values of flags that can be unset
};

const Option* option_called(const std::vector<Option>& options, const std::string& word) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const Option& option) {
    return word == "--" + option.name() ||
           (!option.short_name.empty() && word == "-" + option.short_name);
  });
  return found == options.end() ? nullptr : &*found;
}

// Removes the word at which CLI11 stopped, a flag with a value or a last option without one, so
// that the others can be parsed.
Fault take_out_mismatch(std::vector<std::string>& words, const Command* command) {
  const std::vector<Option> options =
      command != nullptr ? command->options() : std::vector<Option>();
  for (auto word = words.begin(); word != words.end(); ++word) {
    const std::size_t equals = word->find('=');
    const Option* option = option_called(options, word->substr(0, equals));
    if (option == nullptr || option->kind != Kind::flag || equals == std::string::npos) continue;
    const bool takes_it_back = option->role == Role::problem;
    const std::string value = takes_it_back ? word->substr(equals + 1) : "";
    words.erase(word);
    return {option->field, value, takes_it_back ? "must be true or false" : "takes no value", ""};
  }
  const std::string last = words.back();
  words.pop_back();
  const Option* option = option_called(options, last.substr(0, last.find('=')));
  if (option == nullptr) return usage(last, "must be followed by a value");
  return {option->field, "", "must be followed by " + option->allowed, ""};
}

}  // namespace

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

Parsed parse(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  ErrorList faults;
  Parsed parsed;
  for (bool complete = false; !complete;) {
    Program program(words);
    try {
      program.parse(words);
      complete = true;
    } catch (const CLI::CallForHelp&) {
      parsed.answer = program.help();
      return parsed;
    } catch (const CLI::ArgumentMismatch&) {
      faults.add(take_out_mismatch(words, program.command()));
      continue;
    } catch (const CLI::ParseError& error) {
      faults.add(usage("", error.what()));
      complete = true;
    }
    const bool generates = program.asks_for_text();
    if (generates || program.asks_for_version()) {
      program.report_unused(words, faults);
      faults.throw_if_any();
      parsed.answer = generates ? program.generated_text() : version_text();
    }
    parsed.invocation = program.invocation(words);
  }
  faults.add(parsed.invocation.faults);
  parsed.invocation.faults = std::move(faults);
  parsed.invocation.text = "gihflow";
  for (int i = 1; i < argc; ++i) parsed.invocation.text += " " + shell_word(argv[i]);
  return parsed;
}

}  // namespace gihflow::cli
