#pragma once

// Functions that make faults: fault(Field::chains, n, "must be at most {}, with {} masked", most,
// Field::boundary) is checked and formatted as by fmt; how the settings in it are spelled is left
// to words().

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gihflow/base/fault.hpp"

namespace gihflow {

/// The type for which fmt checks a placeholder.
template <class Argument>
using Spelled = std::conditional_t<std::is_same_v<Argument, Field>, std::string_view, Argument>;

/// A phrase with one argument per placeholder: a number, a text or a Field.
template <class... Arguments>
Phrase phrase(fmt::format_string<Spelled<Arguments>...> words, const Arguments&... arguments) {
  const fmt::string_view checked = words;
  std::string_view rest(checked.data(), checked.size());
  std::vector<Phrase::Part> parts;
  const auto write = [&](const std::string& text) {
    if (text.empty()) return;
    if (parts.empty() || std::holds_alternative<Field>(parts.back())) parts.emplace_back("");
    std::get<std::string>(parts.back()) += text;
  };
  [[maybe_unused]] const auto add = [&](const auto& argument) {
    const std::size_t open = rest.find('{'), end = rest.find('}') + 1;
    write(std::string(rest.substr(0, open)));
    if constexpr (std::is_same_v<std::decay_t<decltype(argument)>, Field>) {
      parts.emplace_back(argument);
    } else {
      write(fmt::format(fmt::runtime(rest.substr(open, end - open)), argument));
    }
    rest.remove_prefix(end);
  };
  (add(arguments), ...);
  write(std::string(rest));
  return Phrase(std::move(parts));
}

/// Settings separated by commas: "alpha, degree".
inline Phrase listed(const std::vector<Field>& fields) {
  Phrase all;
  for (const Field field : fields) all += all.empty() ? Phrase(field) : Phrase(", ", field);
  return all;
}

/// A fault of a setting, with `value` as fmt prints it.
template <class Value, class... Arguments>
Fault fault(Field field, const Value& value, fmt::format_string<Spelled<Arguments>...> allowed,
            const Arguments&... arguments) {
  return {field, fmt::format("{}", value), phrase(allowed, arguments...), ""};
}

/// A fault of something that is not a setting: an argument of a function, a place in a file.
template <class Value, class... Arguments>
Fault fault(std::string where, const Value& value,
            fmt::format_string<Spelled<Arguments>...> allowed, const Arguments&... arguments) {
  return {Field::none, fmt::format("{}", value), phrase(allowed, arguments...), std::move(where)};
}

}  // namespace gihflow
