#pragma once

// Functions that make rows of the option table from the texts of an option, its place, its range,
// and its member of a group of settings.

#include <cmath>
#include <concepts>
#include <limits>
#include <utility>

#include "gihflow/base/text.hpp"
#include "gihflow/run/options.hpp"

namespace gihflow {

/// The texts of a row.
struct Words {
  Field field;
  const char* value;  ///< placeholder of its value in the help
  Phrase help;
  const char* unset = "";  ///< text of the help for a default that is no value
};

/// What rows of a section have in common.
struct Place {
  const char* heading;
  Role role = Role::problem;
  Phrase (*without_effect)(const Setting&) = nullptr;
};

/// The allowed values of an option.
struct Range {
  Kind kind;
  std::string allowed;
  std::function<bool(const Value&)> accepts = [](const Value&) { return true; };
  std::vector<std::string> choices = {};
  std::vector<std::string> suffixes = {};  ///< for files
};

/// Integers from least to most.
Range integers(std::int64_t least, std::int64_t most = std::numeric_limits<std::int64_t>::max());
/// Finite numbers: any, up to largest_entry in magnitude, ≠ 0, ≥ 0, > 0.
Range any_real();
Range entry_of_a_matrix();
Range not_zero();
Range not_negative();
Range above_zero();
Range smoothing();
Range flag();
/// A file that this program reads or writes, with these suffixes. Not empty, which means no file;
/// in UTF-8, since a config must contain it.
Range path(std::vector<std::string> suffixes = {"h5"});
/// A non-empty list of integers or reals that `accepts` is true for.
Range list(Kind kind, const char* allowed, bool (*accepts)(double));
Range one_of(std::vector<std::string> words);

// --- Members as values, and back -----------------------------------------------------------------

template <class T>
Value value_of(const T& x) {
  if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    return static_cast<std::int64_t>(x);
  } else {
    return x;
  }
}
Value value_of(const Schedule& schedule);

template <class T>
void assign(T& member, const Value& value) {
  if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    member = static_cast<T>(std::get<std::int64_t>(value));
  } else {
    member = std::get<T>(value);
  }
}
template <class T>
void assign(std::optional<T>& member, const Value& value) {
  assign(member.emplace(), value);
}
void assign(Schedule& schedule, const Value& value);

/// A row without access to a member.
template <class Group>
Option described(const Words& words, const Place& place, Range range) {
  Option option;
  option.field = words.field;
  option.value = std::string(words.value);
  option.kind = range.kind;
  option.role = place.role;
  option.heading = place.heading;
  option.help = words.help;
  option.allowed = std::move(range.allowed);
  option.unset = std::string(words.unset);
  option.choices = std::move(range.choices);
  option.suffixes = std::move(range.suffixes);
  option.groups = groups_of<Group>;
  option.accepts = std::move(range.accepts);
  option.without_effect = [why = place.without_effect](const Setting& setting) {
    return why == nullptr ? Phrase() : why(setting);
  };
  return option;
}

/// The row of a member of Group; `member` maps a Group& or const Group& to a reference. An option
/// that can have no value is an optional member, or one whose default means none.
template <class Group, class Member>
Option row(const Words& words, const Place& place, Range range, Member member) {
  Option option = described<Group>(words, place, std::move(range));
  const Group defaults;
  option.get = [member, may_be_unset = !option.unset.empty(),
                none = member(defaults)](const Setting& setting) -> std::optional<Value> {
    const auto& x = member(static_cast<const Group&>(setting));
    if (may_be_unset && x == none) return std::nullopt;
    if constexpr (requires { x.has_value(); }) {
      return value_of(*x);
    } else {
      return value_of(x);
    }
  };
  option.set = [member](Setting& setting, const Value& value) {
    assign(member(static_cast<Group&>(setting)), value);
  };
  return option;
}

/// The type of a member.
template <class Group, class Member>
using TypeOf = std::remove_cvref_t<decltype(std::declval<Member>()(std::declval<Group&>()))>;
/// Words for the values of an enumeration.
template <class Enum>
using Alternatives = std::vector<std::pair<const char*, Enum>>;

/// The row of an enumeration, given by words.
template <class Group, class Member>
requires std::is_enum_v<TypeOf<Group, Member>> Option
row(const Words& words, const Place& place, const Alternatives<TypeOf<Group, Member>>& alternatives,
    Member member) {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : alternatives) names.emplace_back(name);
  Option option = described<Group>(words, place, one_of(std::move(names)));
  option.get = [member, alternatives](const Setting& setting) -> std::optional<Value> {
    for (const auto& [name, meaning] : alternatives) {
      if (meaning == member(static_cast<const Group&>(setting))) return name;
    }
    return std::nullopt;
  };
  option.set = [member, alternatives](Setting& setting, const Value& value) {
    for (const auto& [name, meaning] : alternatives) {
      if (name == std::get<std::string>(value)) member(static_cast<Group&>(setting)) = meaning;
    }
  };
  return option;
}

/// The range of names of families of priors.
Range prior_family();
/// Why an option about sequences has no effect in a setting: infinite context; empty if it has one.
Phrase no_sequences(const Setting& s);

// Parts of the table, in its order.
std::vector<Option> chain_rows();   ///< chains, sequences and input files
std::vector<Option> model_rows();   ///< the model and its initial point
std::vector<Option> member_rows();  ///< many runs

}  // namespace gihflow
