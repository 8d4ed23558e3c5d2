#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// The characters of a text in UTF-8, each a view of its bytes; none where there are stray bytes,
/// overlong forms or surrogates.
std::optional<std::vector<std::string_view>> characters_of(std::string_view text);

/// Whether a text can be printed and written as TOML, JSON and HDF5, and read back: UTF-8 without
/// stray bytes, overlong forms, surrogates or control characters other than tab and end of line.
bool is_plain_utf8(const std::string& text);

/// The number that the whole text is, in decimal digits; none where anything else is in it, a space
/// or a leading "+" among others, or the number is out of range.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace gihflow
