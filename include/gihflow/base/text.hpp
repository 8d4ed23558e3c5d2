#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// The characters of a UTF-8 text, each a view of its bytes; nullopt for stray bytes, overlong
/// forms or surrogates.
std::optional<std::vector<std::string_view>> characters_of(std::string_view text);

/// Whether a text can be printed and written as TOML, JSON and HDF5, and read back: UTF-8 without
/// stray bytes, overlong forms, surrogates or control characters other than tab and end of line.
bool is_plain_utf8(const std::string& text);

/// The decimal number that the whole text spells; nullopt where it contains anything else, such as
/// a space or a leading "+", or the number is out of range of the type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace gihflow
