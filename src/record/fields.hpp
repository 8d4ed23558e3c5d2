#pragma once

// The members of a described record (gihflow/record/schema.hpp) as attributes of an object, as
// datasets, or as a table with one column for each member.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/record/schema.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

inline std::string text_of(const std::string& text) {
  return text;
}
inline std::string text_of(Outcome outcome) {
  return to_string(outcome);
}
inline std::string text_of(const Stage& stage) {
  return blocks_of(stage);
}

/// What a text says, put into a member; throws InputError where it says nothing.
inline void set_from_text(const std::string& text, std::string& member) {
  member = text;
}
inline void set_from_text(const std::string& text, Outcome& member) {
  member = parse_outcome(text);
}
inline void set_from_text(const std::string& text, Stage& member) {
  for (const char block : text) {
    member.c = member.c || block == 'c';
    member.w = member.w || block == 'w';
    member.a = member.a || block == 'a';
  }
  if (text != blocks_of(member)) throw InputError(text + ": must be letters of cwa");
}

/// A count from an attribute: a fault where it is missing or negative.
inline Index read_count(hdf5::InputFile& file, const std::string& object, const char* name) {
  const auto count = file.integer_attribute(object, name, "an integer of at least 0");
  if (count && *count < 0) {
    file.fault(fmt::format("attribute {} of {} {}: must be at least 0", name, object, *count));
  }
  return count.value_or(0);
}

template <class Record>
void write_attributes(hdf5::Image& image, const std::string& object, const Record& record) {
  describe(
      [&]<class T>(const Description& field, const T& value) {
        if constexpr (std::is_arithmetic_v<T>) {
          image.attribute(object, field.name, value);
        } else {
          image.attribute(object, field.name, text_of(value));
        }
      },
      record);
}

/// Faults of the file: attributes that are missing, of another type, or say nothing sensible.
template <class Record>
void read_attributes(hdf5::InputFile& file, const std::string& object, Record& record) {
  describe(
      [&]<class T>(const Description& field, T& value) {
        if constexpr (std::is_same_v<T, double>) {
          value = file.real_attribute(object, field.name).value_or(0.0);
        } else if constexpr (std::is_arithmetic_v<T>) {
          value = static_cast<T>(read_count(file, object, field.name));
        } else if (const auto text = file.text_attribute(object, field.name)) {
          try {
            set_from_text(*text, value);
          } catch (const InputError& error) {
            file.fault(fmt::format("attribute {} of {} {}", field.name, object, error.what()));
          }
        }
      },
      record);
}

/// Shape and scales of a quantity's own axes, for parameters of this shape.
inline hdf5::Shape shape_of(const char* axes, const Parameters& shape) {
  hdf5::Shape sizes;
  for (const char axis : std::string(axes)) {
    sizes.push_back(axis == 'S'   ? shape.log_c_squared.size()
                    : axis == 'H' ? static_cast<hsize_t>(shape.heads)
                                  : static_cast<hsize_t>(shape.window));
  }
  return sizes;
}
inline std::vector<std::string> scales_of(const char* axes) {
  std::vector<std::string> scales;
  for (const char axis : std::string(axes))
    scales.emplace_back(axis == 'S' ? "/subset" : axis == 'H' ? "/head" : "/component");
  return scales;
}

/// Each member a dataset of `group`; one that is an empty optional is left out.
template <class Record>
void write_datasets(hdf5::Image& image, const std::string& group, const Record& record,
                    const Parameters& shape) {
  image.group(group);
  const auto write = [&](const Description& field, std::span<const double> values) {
    image.dataset<double>(group + "/" + field.name, values, shape_of(field.axes, shape),
                          {field.units, field.meaning, scales_of(field.axes)});
  };
  describe(
      [&]<class T>(const Description& field, const T& value) {
        if constexpr (std::is_same_v<T, double>) {
          write(field, {&value, 1});
        } else if constexpr (std::is_same_v<T, std::optional<double>>) {
          if (value) write(field, {&*value, 1});
        } else {
          write(field, value);
        }
      },
      record);
}

template <class Record>
void read_datasets(hdf5::InputFile& file, const std::string& group, Record& record,
                   const Parameters& shape) {
  describe(
      [&]<class T>(const Description& field, T& value) {
        const std::string path = group + "/" + field.name;
        if constexpr (std::is_same_v<T, std::optional<double>>) {
          if (!file.has(path)) return;
        }
        const auto values = file.reals(path, shape_of(field.axes, shape));
        if (!values) return;
        if constexpr (std::is_same_v<T, std::vector<double>>) {
          value = *values;
        } else {
          value = values->front();
        }
      },
      record);
}

/// A group with one dataset for each member of the records, along the scale `scale`; nothing where
/// there are no records.
template <class Record>
void write_table(hdf5::Image& image, const std::string& group, const std::vector<Record>& records,
                 const std::string& scale, const std::string& scale_meaning) {
  if (records.empty()) return;
  const std::string axis = group + "/" + scale;
  image.group(group);
  image.counting_scale(axis, 1, records.size(), scale_meaning);
  std::size_t column = 0;
  const auto write = [&]<class T>(const Description& field, const T&) {
    // The same member of every record.
    std::vector<T> values;
    for (const Record& record : records) {
      std::size_t k = 0;
      describe(
          [&]<class U>(const Description&, const U& value) {
            if constexpr (std::is_same_v<T, U>) {
              if (k == column) values.push_back(value);
            }
            ++k;
          },
          record);
    }
    const std::string path = group + "/" + field.name;
    if constexpr (std::is_same_v<T, std::string>) {
      image.texts(path, values, field.meaning, axis);
    } else {
      image.dataset<T>(path, values, {values.size()}, {field.units, field.meaning, {axis}});
    }
    ++column;
  };
  describe(write, records.front());
}

/// What write_table wrote; nothing where there is no such group. `item` is what an entry is of.
template <class Record>
std::vector<Record> read_table(hdf5::InputFile& file, const std::string& group, const char* item) {
  std::vector<Record> records;
  if (!file.has(group)) return records;
  std::optional<std::size_t> size;  // known from the first text
  Record shape;
  describe(
      [&]<class T>(const Description& field, const T&) {
        if constexpr (std::is_same_v<T, std::string>) {
          if (size) return;
          const auto first = file.texts(group + "/" + field.name);
          size = first ? first->size() : 0;
        }
      },
      shape);
  if (!size || file.faulty()) return records;
  records.resize(*size);
  std::size_t column = 0;
  const auto read = [&]<class T>(const Description& field, const T&) {
    const std::string path = group + "/" + field.name;
    const auto values = [&] {
      if constexpr (std::is_same_v<T, std::string>) {
        return file.texts(path);
      } else if constexpr (std::is_same_v<T, double>) {
        return file.reals(path, hdf5::Shape{*size});
      } else {
        return file.integers(path, hdf5::Shape{*size});
      }
    }();
    if (values && values->size() != *size) {
      file.fault(fmt::format("{} has {} entries: must be one for each {}, {}", path, values->size(),
                             item, *size));
    } else if (values) {
      for (std::size_t i = 0; i < *size; ++i) {
        std::size_t k = 0;
        describe(
            [&]<class U>(const Description&, U& member) {
              if constexpr (std::is_same_v<T, U>) {
                if (k == column) member = (*values)[i];
              }
              ++k;
            },
            records[i]);
      }
    }
    ++column;
  };
  describe(read, shape);
  return records;
}

}  // namespace gihflow
