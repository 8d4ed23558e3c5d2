#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "gihflow/base/types.hpp"
#include "gihflow/record/difference.hpp"

namespace gihflow::cli {

/// JSON whose keys keep their order. Numbers round-trip; NaN and infinities are written as null.
using Json = nlohmann::ordered_json;

/// A matrix, row by row.
Json json_rows(const std::vector<double>& values, Index columns);
/// null for none.
template <class T>
Json json_optional(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
/// An array of what `element` makes of each value.
template <class Values, class Element>
Json json_list(const Values& values, Element element) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(element(value));
  return list;
}
/// How two rows of numbers of that name differ.
Json json_difference(const std::string& name, const NumberDifference& numbers);

/// Indented text with an end of line.
std::string to_text(const Json& json);

}  // namespace gihflow::cli
