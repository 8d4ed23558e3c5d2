#pragma once

// Records and columns of record/schema.hpp as Python has them.

#include "blocks.hpp"
#include "gihflow/record/schema.hpp"
#include "python.hpp"

namespace gihflow::python {

inline nb::object value_of(const RecordValue& value, const Description& field,
                           const Parameters& shape) {
  return std::visit(
      [&]<class T>(const T& x) -> nb::object {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nb::none();
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          return array_of(x, lengths_of(field.axes, shape));
        } else {
          return nb::cast(x);
        }
      },
      value);
}

/// Puts the fields of a record under their names; one that is absent is None.
template <class Record>
nb::dict& put_fields(nb::dict& into, const Record& record, const Parameters& shape = {}) {
  for (const RecordField<Record>& field : fields<Record>()) {
    into[field.name] = value_of(field.get(record), field, shape);
  }
  return into;
}
template <class Record>
nb::dict fields_of(const Record& record, const Parameters& shape = {}) {
  nb::dict result;
  put_fields(result, record, shape);
  return result;
}

/// A column of all snapshots, [times, …], laid out once; NumPy shows it as it lies.
nb::object column_of(const SnapshotColumn& column, const std::vector<Snapshot>& snapshots,
                     const Parameters& shape);

}  // namespace gihflow::python
