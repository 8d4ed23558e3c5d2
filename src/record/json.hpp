#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "gihflow/base/types.hpp"
#include "gihflow/record/schema.hpp"

namespace gihflow {

/// JSON whose keys keep their order. Numbers round-trip; NaN and infinities are written as null.
using Json = nlohmann::ordered_json;

/// A matrix, row by row.
Json json_rows(const std::vector<double>& values, Index columns);
/// An array of what `element` makes of each value.
template <class Values, class Element>
Json json_list(const Values& values, Element element) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(element(value));
  return list;
}

/// A field; a matrix has rows of `window` numbers.
Json json_value(const RecordValue& value, const Description& field, Index window);

/// The fields of a record under their names, those that are absent left out.
template <class Record>
Json json_record(const Record& record, Index window = 0) {
  Json json;
  for (const RecordField<Record>& field : fields<Record>()) {
    const RecordValue value = field.get(record);
    if (value != RecordValue()) json[field.name] = json_value(value, field, window);
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
