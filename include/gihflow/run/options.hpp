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

/// Value of an option, with the type that it has in a config file.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<double>, std::vector<std::string>>;

/// Type of an option's value; a choice is one of a few words.
enum class Kind { flag, integer, real, text, choice, integers, reals, words };

/// What an option decides. problem: what is computed. computation: how it is computed, which may
/// change bits. handling: what is done with the results; it changes no bit and is not part of the
/// config in a file.
enum class Role { problem, computation, handling };

/// A row of the option table: name, help, range and member of a setting. Command line, config files
/// and help are made from it.
struct Option {
  Field field = Field::none;
  std::string short_name;  ///< one letter, or empty
  std::string value;       ///< placeholder of its value in the help; empty for a flag
  Kind kind = Kind::flag;
  Role role = Role::problem;
  std::string heading;               ///< section of the help
  Phrase help;                       ///< one sentence, without the default
  std::string allowed;               ///< the text after "must be" in faults
  std::string unset;                 ///< text of the help for a default that is no value
  std::vector<std::string> choices;  ///< for Kind::choice
  /// Suffixes of the files that the value may name, "h5"; empty if it is not a path.
  std::vector<std::string> suffixes;
  Groups groups = 0;  ///< of settings that have it

  std::function<bool(const Value&)> accepts;  ///< checks the range of a value of the right type
  std::function<std::optional<Value>(const Setting&)> get;
  /// Throws InputError for a value of the right type and range that is still not valid.
  std::function<void(Setting&, const Value&)> set;
  /// Why the option has no effect in a setting, "the method is the flow"; empty if it has one.
  std::function<Phrase(const Setting&)> without_effect;

  /// Its name in a config file.
  std::string name() const { return std::string(gihflow::name(field)); }
  /// Whether settings of these groups have the option.
  bool belongs_to(Groups setting) const { return (groups & ~setting) == 0; }
};

/// All options, in the order of the help. Different commands may have different options of one
/// name.
std::span<const Option> options();
/// The option of that field in `groups`, or else in any command; null if there is none.
const Option* find_option(Field field, Groups groups = all_groups);
/// The same by its name in a config file.
const Option* find_option(std::string_view name, Groups groups = all_groups);
/// The name among `names` with the smallest edit distance to `name`; empty if none is close.
std::string nearest(const std::string& name, std::span<const std::string> names);

/// Parses a value of the command line, lists with commas; nullopt if it is not of the option's
/// kind.
std::optional<Value> parse_value(const Option& option, const std::string& text);
/// Inverse of parse_value; numbers round-trip.
std::string to_string(const Value& value);
/// The value in TOML, as in a config file.
std::string to_toml(const Value& value);

/// A row of the table of conventions of theory §2: values of an option in the paper, in its
/// authors' published experiments, and in their full model (2.9).
struct Convention {
  Field field;
  Value paper, reference, full;
};
/// All rows of the table.
std::span<const Convention> conventions();
/// Sets all options of the table to the preset "paper", "reference" or "full".
void apply_preset(Setting& setting, const std::string& preset);
/// The same for the setting of one command, in the groups that it has.
template <class S>
void apply_preset(S& setting, const std::string& preset) {
  Setting all(setting);
  apply_preset(all, preset);
  setting = all.as<S>();
}

/// Sets an option from a value of any type that came from `origin`, a config file, or "" for the
/// command line. Adds a fault and keeps the default if the value is not allowed.
void set_option(Setting& setting, const Option& option, const Value& value,
                const std::string& origin, ErrorList& faults);

/// The fault with `where` set to the config file that gave its setting, if one did.
Fault located(const Setting& setting, Fault fault);

}  // namespace gihflow
