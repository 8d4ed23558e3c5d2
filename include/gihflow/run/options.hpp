#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/run/setting.hpp"

namespace GIHFLOW_API gihflow {

/// Value of an option, of the type that a config file gives it.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<double>, std::vector<std::string>>;

/// Which alternative of Value an option holds; a choice is one of a few words.
enum class Kind { flag, integer, real, text, choice, integers, reals, words };

/// What an option decides. Of a problem: what is computed. Of a computation: how; bits may depend
/// on it. Of handling: what is done with the results; no bit depends on it, so that it is not part
/// of the config of a file.
enum class Role { problem, computation, handling };

/// An option of the program: the one place where its name, its text, its range and its member of a
/// setting are written down. The command line, config files, their writer and the help read it.
struct Option {
  Field field = Field::none;
  std::string short_name;  ///< one letter, or empty
  std::string value;       ///< what its value is called in the help; empty for a flag
  Kind kind = Kind::flag;
  Role role = Role::problem;
  std::string heading;  ///< in the help
  Phrase help;          ///< one sentence without the default
  std::string allowed;  ///< what a value must be, after "must be"
  std::string unset;    ///< what the help calls the default where the option has no value
  std::vector<std::string> choices;  ///< of Kind::choice
  /// What names of the files that the value may name end in, "h5"; empty where it names no file.
  std::vector<std::string> suffixes;
  Groups groups = 0;  ///< of settings that have it

  std::function<bool(const Value&)> accepts;  ///< range only; the type is right
  std::function<std::optional<Value>(const Setting&)> get;
  /// Throws InputError where a value of the right type and range is still no good.
  std::function<void(Setting&, const Value&)> set;
  /// Why the option has no effect in a setting, "the method is the flow"; empty where it has.
  std::function<Phrase(const Setting&)> without_effect;

  /// Its name in a config file.
  std::string name() const { return std::string(gihflow::name(field)); }
  /// Whether settings of these groups have the option.
  bool belongs_to(Groups setting) const { return (groups & ~setting) == 0; }
};

/// All options, in the order of the help. One name may stand for options of different commands.
std::span<const Option> options();
/// The option of that name among those of `groups`, else of any command; null where there is none.
const Option* find_option(Field field, Groups groups = all_groups);
/// The same by the name in a config file.
const Option* find_option(std::string_view name, Groups groups = all_groups);
/// The name among `names` that is nearest to `name` in edit distance; empty when none is close.
std::string nearest(const std::string& name, std::span<const std::string> names);

/// Reads the text of a value as the command line gives it, lists with commas.
/// Nothing when it is not of the option's kind.
std::optional<Value> parse_value(const Option& option, const std::string& text);
/// Inverse of parse_value; numbers round-trip.
std::string to_string(const Value& value);
/// The same as a config file has it, in TOML.
std::string to_toml(const Value& value);

/// A row of theory §2's table of conventions: what an option is in the paper, in its authors'
/// published experiments, and in their full model (2.9).
struct Convention {
  Field field;
  Value paper, reference, full;
};
/// All rows of the table.
std::span<const Convention> conventions();
/// Sets every row, "paper", "reference" or "full".
void apply_preset(Setting& setting, const std::string& preset);
/// The same for the settings of one command, in those groups that it has.
template <class S>
void apply_preset(S& setting, const std::string& preset) {
  Setting all(setting);
  apply_preset(all, preset);
  setting = all.as<S>();
}

/// Sets an option from a value of any type, as from the place `origin`: a config file, or "" for
/// the command line. An option at fault keeps its default.
void set_option(Setting& setting, const Option& option, const Value& value,
                const std::string& origin, ErrorList& faults);

/// The fault with the config file that gave its setting, if one did.
Fault located(const Setting& setting, Fault fault);

}  // namespace gihflow
