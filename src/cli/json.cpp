#include "cli/json.hpp"

#include <cmath>

namespace gihflow::cli {

Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json json_numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(json_number(value));
  return list;
}

Json json_rows(const std::vector<double>& values, Index columns) {
  Json rows = Json::array();
  for (auto row = values.begin(); row != values.end(); row += columns) {
    rows.push_back(json_numbers({row, row + columns}));
  }
  return rows;
}

std::string to_text(const Json& json) {
  // A path on the command line may hold any bytes.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gihflow::cli
