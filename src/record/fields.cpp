#include "record/fields.hpp"

#include <algorithm>
#include <string_view>

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;
using hdf5::Numbers;

bool is_integer(const RecordValue& value) {
  return std::holds_alternative<Index>(value) || std::holds_alternative<bool>(value);
}

template <class T>
std::vector<T> all(const std::vector<RecordValue>& values) {
  std::vector<T> result;
  for (const RecordValue& value : values) result.push_back(std::get<T>(value));
  return result;
}

void append(FlatRecord& flat, const RecordValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) flat.integers.push_back(*flag ? 1 : 0);
  if (const auto* integer = std::get_if<Index>(&value)) flat.integers.push_back(*integer);
  if (const auto* real = std::get_if<double>(&value)) flat.reals.push_back(*real);
  if (const auto* reals = std::get_if<std::vector<double>>(&value))
    flat.reals.insert(flat.reals.end(), reals->begin(), reals->end());
}

template <class Record>
void append_fields(FlatRecord& flat, const Record& record) {
  for (const RecordField<Record>& field : fields<Record>()) append(flat, field.get(record));
}

// Sets a record from the numbers that append_fields gives.
template <class Record>
bool restore(Record& record, std::span<const double> reals, std::span<const Index> integers,
             std::size_t slope_size) {
  std::size_t scalars = 0, counts = 0;
  for (const RecordField<Record>& field : fields<Record>()) {
    scalars += std::holds_alternative<double>(field.get(record)) ? 1 : 0;
    counts += is_integer(field.get(record)) ? 1 : 0;
  }
  if (integers.size() != counts || reals.size() < scalars + slope_size) return false;
  auto real = reals.begin();
  auto integer = integers.begin();
  for (const RecordField<Record>& field : fields<Record>()) {
    const RecordValue like = field.get(record);
    if (is_integer(like)) {
      const Index number = *integer++;
      field.set(record, std::holds_alternative<bool>(like) ? RecordValue(number != 0)
                                                           : RecordValue(number));
    } else if (std::holds_alternative<double>(like)) {
      field.set(record, *real++);
    } else {
      const std::size_t size = field.name == std::string_view("slope")
                                   ? slope_size
                                   : reals.size() - scalars - slope_size;
      const auto begin = real;
      field.set(record, std::vector<double>(begin, real += static_cast<std::ptrdiff_t>(size)));
    }
  }
  return real == reals.end();
}

}  // namespace

FlatRecord flatten(const StepStatistics& statistics) {
  FlatRecord flat;
  append_fields(flat, statistics);
  return flat;
}

FlatRecord flatten(const StepperState& stepper) {
  FlatRecord flat{{stepper.t, stepper.dt}, {stepper.next_output}};
  append(flat, stepper.x);
  if (stepper.active)
    std::visit([&](const auto& method) { append_fields(flat, method); }, stepper.method);
  return flat;
}

std::size_t slope_size(const StepperState& stepper) {
  const auto* flow = std::get_if<FlowState>(&stepper.method);
  return stepper.active && flow != nullptr ? flow->slope.size() : 0;
}

bool restore_method(StepperState& stepper, std::span<const double> reals,
                    std::span<const Index> integers, std::size_t slope_size) {
  if (!stepper.active) return reals.empty() && integers.empty();
  if (integers.size() == 1) stepper.method = DescentState();
  return std::visit([&](auto& method) { return restore(method, reals, integers, slope_size); },
                    stepper.method);
}

Index read_count(InputFile& file, const std::string& object, const char* name) {
  const auto count = file.integer_attribute(object, name, "an integer of at least 0");
  if (count && *count < 0) {
    file.fault(fmt::format("attribute {} of {} {}: must be at least 0", name, object, *count));
  }
  return count.value_or(0);
}

template <class T>
std::optional<std::vector<T>> read_list(InputFile& file, const std::string& path) {
  constexpr bool real = std::is_same_v<T, double>;
  const auto dataset =
      file.dataset(path, real ? Numbers::reals : Numbers::integers, "one-dimensional");
  if (!dataset) return std::nullopt;
  if (dataset->shape.size() != 1) {
    file.fault(fmt::format("{} has shape {}: must be one-dimensional", path,
                           hdf5::to_string(dataset->shape)));
    return std::nullopt;
  }
  if constexpr (real) {
    return file.reals(*dataset);
  } else {
    return file.integers(*dataset);
  }
}
template std::optional<std::vector<double>> read_list(InputFile&, const std::string&);
template std::optional<std::vector<Index>> read_list(InputFile&, const std::string&);

bool SnapshotColumn::is_of(const Parameters& shape) const {
  return std::none_of(plain_arrays.begin(), plain_arrays.end(), [&](const PlainArray& array) {
    const std::string_view needed = array.name;
    return (needed == name || needed == follows_from) && array.in(shape).empty();
  });
}

std::vector<Index> shape_of(const char* axes, const Parameters& shape) {
  std::vector<Index> sizes;
  for (const char* axis = axes; *axis != '\0'; ++axis) {
    sizes.push_back(*axis == 'S'   ? static_cast<Index>(shape.log_c_squared.size())
                    : *axis == 'H' ? shape.heads
                    : *axis == 'M' ? shape.window
                                   : shape.vocabulary());
  }
  return sizes;
}

hdf5::Shape file_shape(const char* axes, const Parameters& shape, hdf5::Shape sizes) {
  for (const Index size : shape_of(axes, shape)) sizes.push_back(static_cast<hsize_t>(size));
  return sizes;
}

std::vector<std::string> scales_of(const char* axes, std::vector<std::string> scales) {
  for (const char axis : std::string(axes))
    scales.emplace_back(axis == 'S'   ? "/subset"
                        : axis == 'H' ? "/head"
                        : axis == 'M' ? "/component"
                                      : "/token");
  return scales;
}

void write_attribute(Image& image, const std::string& object, const char* name,
                     const RecordValue& value) {
  std::visit(
      [&]<class T>(const T& x) {
        if constexpr (std::is_same_v<T, bool>) {
          image.attribute(object, name, static_cast<std::int8_t>(x ? 1 : 0));
        } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
          image.attribute(object, name, x);
        }
      },
      value);
}

std::optional<RecordValue> read_attribute(InputFile& file, const std::string& object,
                                          const char* name, const RecordValue& like) {
  if (std::holds_alternative<double>(like)) return file.real_attribute(object, name);
  if (std::holds_alternative<std::string>(like)) return file.text_attribute(object, name);
  const Index count = read_count(file, object, name);
  if (std::holds_alternative<bool>(like)) return count != 0;
  if (std::holds_alternative<Index>(like)) return count;
  return static_cast<std::uint64_t>(count);
}

void write_dataset(Image& image, const std::string& path, const Description& field,
                   const RecordValue& value, const Parameters& shape) {
  const auto write = [&](std::span<const double> values) {
    image.dataset<double>(path, values, file_shape(field.axes, shape),
                          {field.units, field.meaning, scales_of(field.axes)});
  };
  if (const auto* number = std::get_if<double>(&value)) write({number, 1});
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) write(*numbers);
}

std::optional<RecordValue> read_dataset(InputFile& file, const std::string& path,
                                        const Description& field, const RecordValue& like,
                                        const Parameters& shape) {
  // May be absent: an optional number, or an array that the model does not have.
  const bool optional = std::holds_alternative<std::monostate>(like);
  if (optional && !file.has(path)) return std::nullopt;
  const bool list = *field.axes != '\0';
  const auto values = file.reals(path, file_shape(field.axes, shape));
  if (!values) return std::nullopt;
  return list ? RecordValue(*values) : RecordValue(values->front());
}

void write_column(Image& image, const std::string& path, const Description& field,
                  const std::vector<RecordValue>& values, const std::string& scale) {
  const hdf5::Meaning meaning{field.units, field.meaning, {scale}};
  if (std::holds_alternative<std::string>(values.front())) {
    image.texts(path, all<std::string>(values), field.meaning, scale);
  } else if (std::holds_alternative<double>(values.front())) {
    image.dataset<double>(path, all<double>(values), {values.size()}, meaning);
  } else {
    image.dataset<Index>(path, all<Index>(values), {values.size()}, meaning);
  }
}

std::vector<RecordValue> read_column(InputFile& file, const std::string& path,
                                     const RecordValue& like) {
  const auto as_values = [](const auto& list) {
    return list ? std::vector<RecordValue>(list->begin(), list->end()) : std::vector<RecordValue>();
  };
  if (std::holds_alternative<std::string>(like)) return as_values(file.texts(path));
  if (std::holds_alternative<double>(like)) return as_values(read_list<double>(file, path));
  return as_values(read_list<Index>(file, path));
}

}  // namespace gihflow
