#include "record/json.hpp"

namespace gihflow {

namespace {

Json nested(std::span<const double> values, std::span<const Index> shape) {
  if (shape.empty()) return values.front();
  if (shape.size() == 1) return std::vector<double>(values.begin(), values.end());
  Json list = Json::array();
  const std::size_t length = values.size() / static_cast<std::size_t>(shape.front());
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.front()); ++i)
    list.push_back(nested(values.subspan(i * length, length), shape.subspan(1)));
  return list;
}

}  // namespace

Json json_array(std::span<const double> values, const char* axes, const Parameters& shape) {
  const std::vector<Index> sizes = shape_of(axes, shape);
  return nested(values, sizes);
}

void add_plain_arrays(Json& json, const PlainBlocks& blocks, const Parameters& shape) {
  for (const PlainArray& array : plain_arrays)
    if (const std::span<const double> numbers = array.in(blocks); !numbers.empty())
      json[array.name] = json_array(numbers, array.axes, shape);
}

Json json_value(const RecordValue& value, const Description& field, const Parameters& shape) {
  return std::visit(
      [&]<class T>(const T& x) -> Json {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          return *field.axes == '\0' ? Json(x) : json_array(x, field.axes, shape);
        } else {
          return x;
        }
      },
      value);
}

}  // namespace gihflow
