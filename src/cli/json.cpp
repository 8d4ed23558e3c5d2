#include "cli/json.hpp"

namespace gihflow::cli {

Json json_rows(const std::vector<double>& values, Index columns) {
  Json rows = Json::array();
  for (auto row = values.begin(); row != values.end(); row += columns) {
    rows.push_back(std::vector<double>(row, row + columns));
  }
  return rows;
}

Json json_difference(const std::string& name, const NumberDifference& numbers) {
  return {{"name", name},
          {"entries", numbers.entries},
          {"different", numbers.different},
          {"absolute", numbers.absolute},
          {"relative", numbers.relative},
          {"ulp", numbers.ulp}};
}

Json json_value(const RecordValue& value, const Description& field, Index window) {
  return std::visit(
      [&]<class T>(const T& x) -> Json {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          return field.axes == std::string_view("HM") ? json_rows(x, window) : Json(x);
        } else {
          return x;
        }
      },
      value);
}

std::string to_text(const Json& json) {
  // A path on the command line may hold any bytes.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gihflow::cli
