#pragma once

#include <optional>
#include <string>

#include "gihflow/record/difference.hpp"
#include "record/json.hpp"

namespace gihflow::cli {

/// The value, or null.
template <class T>
Json json_optional(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
/// The difference of two arrays of that name.
Json json_difference(const std::string& name, const NumberDifference& numbers);

/// Indented text with an end of line.
std::string to_text(const Json& json);

}  // namespace gihflow::cli
