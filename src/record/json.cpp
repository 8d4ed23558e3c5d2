#include "record/json.hpp"

namespace gihflow {

Json json_rows(const std::vector<double>& values, Index columns) {
  Json rows = Json::array();
  for (auto row = values.begin(); row != values.end(); row += columns) {
    rows.push_back(std::vector<double>(row, row + columns));
  }
  return rows;
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

}  // namespace gihflow
