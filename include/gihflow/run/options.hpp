#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/run/setting.hpp"

namespace GIHFLOW_API gihflow {

enum class Command : unsigned {
  sample = 1,
  train = 2,
  evaluate = 4,
  show = 8,
  rank = 16,
  compare = 32,
  check = 128,
  predict = 256,
  verify = 512,
  diff = 1024,
  audit = 2048
};
std::string to_string(Command command);
/// The defaults of a command's setting.
Setting default_setting(Command command);
/// File that the command line writes to when not told otherwise; empty where it writes none.
std::string default_output(Command command);

/// Value of an option, of the type that a config file gives it.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<std::string>>;

/// Which alternative of Value an option holds; a choice is one of a few words.
enum class Kind { flag, integer, real, text, choice, integers, words };

/// An option of the program: the one place where its name, its text, its range and its field of
/// Setting are written down. The command line, config files, their writer and the help read it.
struct Option {
  std::string name;        ///< on the command line after "--", in a config as it is
  std::string short_name;  ///< one letter, or empty
  std::string value;       ///< what its value is called in the help; empty for a flag
  Kind kind = Kind::flag;
  std::string group;    ///< heading in the help
  std::string help;     ///< one sentence without the default
  std::string allowed;  ///< what a value must be, after "must be"
  std::string unset;    ///< what the help calls the default where the option has no value
  std::vector<std::string> choices;  ///< of Kind::choice
  unsigned commands = 0;             ///< commands that have it, or-ed
  /// Whether the numbers in the output depend on it: such options make up the config of a run file.
  bool determines_result = true;

  std::function<bool(const Value&)> accepts;  ///< range only; the type is right
  std::function<std::optional<Value>(const Setting&)> get;
  /// Throws InputError where a value of the right type and range is still no good.
  std::function<void(Setting&, const Value&)> set;

  Field field() const { return field_named(name); }
  bool belongs_to(Command command) const {
    return (commands & static_cast<unsigned>(command)) != 0;
  }
};

/// All options, in the order of the help.
std::span<const Option> options();
/// The option of that name, or null.
const Option* find_option(const std::string& name);
/// The name among `names` that is nearest to `name` in edit distance; empty when none is close.
std::string nearest(const std::string& name, std::span<const std::string> names);

/// Reads the text of a value as the command line gives it, lists with commas.
/// Nothing when it is not of the option's kind.
std::optional<Value> parse_value(const Option& option, const std::string& text);
/// Inverse of parse_value; numbers round-trip.
std::string to_string(const Value& value);

/// Sets every row of theory §2's table of conventions, "paper" or "reference".
void apply_preset(Setting& setting, const std::string& preset);
/// Names of the options that a preset sets.
std::span<const std::string> preset_options();

/// Sets an option from a value of any type, as from the place `origin`: a config file, or "" for
/// the command line. An option at fault keeps its default.
void set_option(Setting& setting, const Option& option, const Value& value,
                const std::string& origin, ErrorList& faults);

/// The fault with the config file that gave its setting, if one did.
Fault located(const Setting& setting, Fault fault);

}  // namespace gihflow
