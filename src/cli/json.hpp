#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "gihflow/base/types.hpp"

namespace gihflow::cli {

/// JSON whose keys keep their order.
using Json = nlohmann::ordered_json;

/// A number that round-trips; null where JSON has none (NaN, infinities).
Json json_number(double value);
Json json_numbers(const std::vector<double>& values);
/// A matrix, row by row.
Json json_rows(const std::vector<double>& values, Index columns);

/// Indented text with an end of line.
std::string to_text(const Json& json);

}  // namespace gihflow::cli
