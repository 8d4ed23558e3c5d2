#pragma once

// Fields of records (gihflow/record/schema.hpp) as attributes of an object, as datasets, or as a
// table with a column for each field.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/schema.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// A count in an attribute; adds a fault if it is missing or negative.
Index read_count(hdf5::InputFile& file, const std::string& object, const char* name);

/// All entries of a one-dimensional dataset of double or Index.
template <class T>
std::optional<std::vector<T>> read_list(hdf5::InputFile& file, const std::string& path);

/// Shape and dimension scales of axes for parameters of this shape, after `first`.
hdf5::Shape file_shape(const char* axes, const Parameters& shape, hdf5::Shape first = {});
std::vector<std::string> scales_of(const char* axes, std::vector<std::string> first = {});

// Writing and reading one field of any record; `like` holds the alternative to read. A column is a
// field of a list of records.
void write_attribute(hdf5::Image& image, const std::string& object, const char* name,
                     const RecordValue& value);
std::optional<RecordValue> read_attribute(hdf5::InputFile& file, const std::string& object,
                                          const char* name, const RecordValue& like);
void write_dataset(hdf5::Image& image, const std::string& path, const Description& field,
                   const RecordValue& value, const Parameters& shape);
std::optional<RecordValue> read_dataset(hdf5::InputFile& file, const std::string& path,
                                        const Description& field, const RecordValue& like,
                                        const Parameters& shape);
void write_column(hdf5::Image& image, const std::string& path, const Description& field,
                  const std::vector<RecordValue>& values, const std::string& scale);
std::vector<RecordValue> read_column(hdf5::InputFile& file, const std::string& path,
                                     const RecordValue& like);

/// Sets a member; adds a fault for a text that is not allowed.
template <class Record>
void set_field(hdf5::InputFile& file, const std::string& place, const RecordField<Record>& field,
               Record& record, const RecordValue& value) try {
  field.set(record, value);
} catch (const InputError& error) {
  file.fault(fmt::format("{} {}", place, error.what()));
}

template <class Record>
void write_attributes(hdf5::Image& image, const std::string& object, const Record& record) {
  for (const RecordField<Record>& field : fields<Record>())
    write_attribute(image, object, field.name, field.get(record));
}
template <class Record>
void read_attributes(hdf5::InputFile& file, const std::string& object, Record& record) {
  for (const RecordField<Record>& field : fields<Record>()) {
    if (field.added && !file.has_attribute(object, field.name)) continue;
    if (const auto value = read_attribute(file, object, field.name, field.get(record)))
      set_field(file, fmt::format("attribute {} of {}", field.name, object), field, record, *value);
  }
}

/// Writes each field as a dataset of `group`, except absent ones.
template <class Record>
void write_datasets(hdf5::Image& image, const std::string& group, const Record& record,
                    const Parameters& shape) {
  image.group(group);
  for (const RecordField<Record>& field : fields<Record>())
    write_dataset(image, group + "/" + field.name, field, field.get(record), shape);
}
template <class Record>
void read_datasets(hdf5::InputFile& file, const std::string& group, Record& record,
                   const Parameters& shape) {
  for (const RecordField<Record>& field : fields<Record>()) {
    const std::string path = group + "/" + field.name;
    if (const auto value = read_dataset(file, path, field, field.get(record), shape))
      field.set(record, *value);
  }
}

/// Writes a group with a dataset for each field, along `scale`; writes nothing for an empty list.
template <class Record>
void write_table(hdf5::Image& image, const std::string& group, const std::vector<Record>& records,
                 const std::string& scale, const std::string& scale_meaning) {
  if (records.empty()) return;
  const std::string axis = group + "/" + scale;
  image.group(group);
  image.counting_scale(axis, 1, records.size(), scale_meaning);
  for (const RecordField<Record>& field : fields<Record>()) {
    std::vector<RecordValue> column;
    for (const Record& record : records) column.push_back(field.get(record));
    write_column(image, group + "/" + field.name, field, column, axis);
  }
}
/// Reads the group of write_table; an empty list if there is none. `item` names a row in messages.
template <class Record>
std::vector<Record> read_table(hdf5::InputFile& file, const std::string& group, const char* item) {
  std::vector<Record> records;
  if (!file.has(group)) return records;
  for (const RecordField<Record>& field : fields<Record>()) {
    const std::string path = group + "/" + field.name;
    if (field.added && !file.has(path)) continue;
    const std::vector<RecordValue> column = read_column(file, path, field.get(Record()));
    if (file.faulty()) return {};
    if (&field == fields<Record>().data()) records.resize(column.size());
    if (column.size() != records.size()) {
      file.fault(fmt::format("{} has {} entries: must be one for each {}, {}", path, column.size(),
                             item, records.size()));
      return {};
    }
    for (std::size_t i = 0; i < column.size(); ++i)
      set_field(file, path, field, records[i], column[i]);
  }
  return records;
}

/// Sets the method of a stepper from the numbers that flatten gives, with the slope in the first
/// `slope_size` reals. False if they do not fit a method.
bool restore_method(StepperState& stepper, std::span<const double> reals,
                    std::span<const Index> integers, std::size_t slope_size);
std::size_t slope_size(const StepperState& stepper);

}  // namespace gihflow
