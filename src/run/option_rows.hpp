#pragma once

// Makers of the rows of the option table, one for each kind of field.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "gihflow/base/text.hpp"

#include "gihflow/run/options.hpp"

namespace gihflow {

/// What a row says of itself in words.
struct Words {
  const char* name;
  const char* value;  ///< what its value is called
  const char* help;
  const char* unset = "";  ///< what the help calls a default that is no value
};

/// Where a row belongs.
struct Place {
  const char* group;
  unsigned commands;
  bool determines_result = true;
};

constexpr unsigned operator|(Command a, Command b) {
  return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}
constexpr unsigned operator|(unsigned a, Command b) {
  return a | static_cast<unsigned>(b);
}

inline Option row(const Words& words, const Place& place, Kind kind, std::string allowed) {
  Option option;
  option.name = words.name;
  option.value = words.value;
  option.kind = kind;
  option.group = place.group;
  option.help = words.help;
  option.allowed = std::move(allowed);
  option.unset = words.unset;
  option.commands = place.commands;
  option.determines_result = place.determines_result;
  option.accepts = [](const Value&) { return true; };
  return option;
}

/// An integer from `least` to `most`. Field: Setting& -> reference, for const settings too.
template <class Field>
Option integer_row(const Words& words, const Place& place, std::int64_t least, std::int64_t most,
                   Field field) {
  const bool bounded = most != std::numeric_limits<std::int64_t>::max();
  Option option = row(words, place, Kind::integer,
                      bounded ? fmt::format("an integer from {} to {}", least, most)
                              : fmt::format("an integer of at least {} and below 2^63", least));
  option.accepts = [least, most](const Value& value) {
    const std::int64_t x = std::get<std::int64_t>(value);
    return x >= least && x <= most;
  };
  option.get = [field](const Setting& s) -> std::optional<Value> {
    return static_cast<std::int64_t>(field(s));
  };
  option.set = [field](Setting& s, const Value& value) {
    field(s) =
        static_cast<std::remove_reference_t<decltype(field(s))>>(std::get<std::int64_t>(value));
  };
  return option;
}

/// Lower bound of a real number.
enum class Least { any, zero, above_zero };

inline bool in_range(double x, Least least) {
  if (!std::isfinite(x)) return false;
  return least == Least::any || (least == Least::zero ? x >= 0.0 : x > 0.0);
}

/// A finite real number.
template <class Field>
Option real_row(const Words& words, const Place& place, Least least, Field field) {
  Option option = row(words, place, Kind::real,
                      least == Least::any    ? "a finite number"
                      : least == Least::zero ? "a finite number of at least 0"
                                             : "a finite number above 0");
  option.accepts = [least](const Value& value) { return in_range(std::get<double>(value), least); };
  option.get = [field](const Setting& s) -> std::optional<Value> {
    return static_cast<double>(field(s));
  };
  option.set = [field](Setting& s, const Value& value) { field(s) = std::get<double>(value); };
  return option;
}

template <class Field>
Option flag_row(const Words& words, const Place& place, Field field) {
  Option option = row(words, place, Kind::flag, "true or false");
  option.get = [field](const Setting& s) -> std::optional<Value> { return bool{field(s)}; };
  option.set = [field](Setting& s, const Value& value) { field(s) = std::get<bool>(value); };
  return option;
}

/// A text; the empty one stands for none.
template <class Field>
Option path_row(const Words& words, const Place& place, Field field) {
  Option option = row(words, place, Kind::text, "the path of a file, in UTF-8");
  option.accepts = [](const Value& value) {  // a config has to say it
    const auto& path = std::get<std::string>(value);
    return !path.empty() && is_plain_utf8(path);
  };
  option.get = [field](const Setting& s) -> std::optional<Value> {
    if (field(s).empty()) return std::nullopt;
    return field(s);
  };
  option.set = [field](Setting& s, const Value& value) { field(s) = std::get<std::string>(value); };
  return option;
}

/// One of a few words, each standing for a value of an enumeration.
template <class Enum, class Field>
Option choice_row(const Words& words, const Place& place,
                  std::vector<std::pair<std::string, Enum>> alternatives, Field field) {
  std::vector<std::string> names;
  for (const auto& alternative : alternatives) names.push_back(alternative.first);
  Option option = row(
      words, place, Kind::choice,
      names.size() == 1
          ? names.front()
          : fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back()));
  option.choices = std::move(names);
  option.accepts = [alternatives](const Value& value) {
    for (const auto& [name, meaning] : alternatives) {
      if (name == std::get<std::string>(value)) return true;
    }
    return false;
  };
  option.get = [field, alternatives](const Setting& s) -> std::optional<Value> {
    for (const auto& [name, meaning] : alternatives) {
      if (meaning == field(s)) return name;
    }
    return std::nullopt;
  };
  option.set = [field, alternatives](Setting& s, const Value& value) {
    for (const auto& [name, meaning] : alternatives) {
      if (name == std::get<std::string>(value)) field(s) = meaning;
    }
  };
  return option;
}

}  // namespace gihflow
