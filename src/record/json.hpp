#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "gihflow/base/types.hpp"
#include "gihflow/record/schema.hpp"

namespace gihflow {

/// JSON with keys in the order of insertion. Numbers round-trip; NaN and infinities are written as
/// null.
using Json = nlohmann::ordered_json;

/// Values with axes (see Description) for parameters of this shape, as nested lists.
Json json_array(std::span<const double> values, const char* axes, const Parameters& shape);
/// Adds the plain arrays that are not empty under their names.
void add_plain_arrays(Json& json, const PlainBlocks& blocks, const Parameters& shape);
/// The array of element(value) for all values.
template <class Values, class Element>
Json json_list(const Values& values, Element element) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(element(value));
  return list;
}

/// The value of a field; `shape` gives the sizes of its axes.
Json json_value(const RecordValue& value, const Description& field, const Parameters& shape);

/// The fields of a record under their names, without absent ones.
template <class Record>
Json json_record(const Record& record, const Parameters& shape = {}) {
  Json json;
  for (const RecordField<Record>& field : fields<Record>()) {
    const RecordValue value = field.get(record);
    if (value != RecordValue()) json[field.name] = json_value(value, field, shape);
  }
  return json;
}
/// A list of records.
template <class Record>
Json json_table(const std::vector<Record>& records) {
  Json list = Json::array();
  for (const Record& record : records) list.push_back(json_record(record));
  return list;
}

}  // namespace gihflow
