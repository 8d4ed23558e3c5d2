#include "record/input_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>

#include "gihflow/base/memory.hpp"

namespace gihflow::hdf5 {

namespace {

constexpr std::size_t longest_text = std::size_t{1} << 20;

// The object's path cut at every slash: "/a/b" gives "/a", "/a/b".
std::vector<std::string> prefixes(const std::string& object) {
  std::vector<std::string> result;
  for (std::size_t slash = object.find('/', 1); slash != std::string::npos;
       slash = object.find('/', slash + 1)) {
    result.push_back(object.substr(0, slash));
  }
  if (object.size() > 1) result.push_back(object);
  return result;
}

Shape shape_of(hid_t space) {
  if (H5Sget_simple_extent_type(space) == H5S_SCALAR) return {};
  Shape shape(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space), "dataspace")));
  if (!shape.empty()) check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "dataspace");
  return shape;
}

bool fits(H5T_class_t type_class, Numbers numbers) {
  switch (numbers) {
    case Numbers::integers:
      return type_class == H5T_INTEGER;
    case Numbers::reals:
      return type_class == H5T_INTEGER || type_class == H5T_FLOAT;
    case Numbers::texts:
      return type_class == H5T_STRING;
  }
  return false;
}

const char* to_words(Numbers numbers) {
  switch (numbers) {
    case Numbers::integers:
      return "integers";
    case Numbers::reals:
      return "numbers";
    case Numbers::texts:
      return "texts";
  }
  return "";
}

// Entries of a shape, or nothing when they would not fit in memory.
std::optional<std::size_t> entries_in_memory(const Shape& shape, std::size_t entry_bytes) {
  const std::size_t most = memory_limit() / entry_bytes;
  std::size_t entries = 1;
  for (const hsize_t size : shape) {
    if (size != 0 && entries > most / size) return std::nullopt;
    entries *= size;
  }
  return entries;
}

}  // namespace

std::string to_string(const Shape& shape) {
  return shape.empty() ? "a scalar" : fmt::format("[{}]", fmt::join(shape, ", "));
}

std::size_t InputDataset::entries() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  prepare_library();
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (!std::filesystem::exists(status)) throw InputError(path_ + ": no such file");
  if (!std::filesystem::is_regular_file(status))
    throw InputError(path_ + ": is not a regular file");
  try {
    file_ = Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "opening it");
  } catch (const Error& failure) {
    throw InputError(fmt::format("{}: is not a readable HDF5 file ({})", path_, failure.what()));
  }
}

bool InputFile::has(const std::string& object) const {
  for (const std::string& prefix : prefixes(object)) {
    if (H5Lexists(file_, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t link{};
    if (H5Lget_info(file_, prefix.c_str(), &link, H5P_DEFAULT) < 0) return false;
    if (link.type != H5L_TYPE_HARD) return true;  // reachable() tells why it is not followed
  }
  return true;
}

bool InputFile::reachable(const std::string& object, const std::string& wanted) {
  for (const std::string& prefix : prefixes(object)) {
    H5L_info_t link{};
    if (H5Lexists(file_, prefix.c_str(), H5P_DEFAULT) <= 0 ||
        H5Lget_info(file_, prefix.c_str(), &link, H5P_DEFAULT) < 0) {
      fault(fmt::format("{} is missing; must be {}", object, wanted));
      return false;
    }
    if (link.type != H5L_TYPE_HARD) {
      fault(fmt::format("{} is a link to another place, which is not followed; must be {}", prefix,
                        wanted));
      return false;
    }
  }
  return true;
}

std::optional<InputDataset> InputFile::dataset(const std::string& name, Numbers numbers,
                                               const std::string& wanted,
                                               std::size_t entry_bytes) try {
  if (!reachable(name, wanted)) return std::nullopt;
  {
    const Handle object(H5Oopen(file_, name.c_str(), H5P_DEFAULT), H5Oclose, "opening it");
    if (H5Iget_type(object) != H5I_DATASET) {
      fault(fmt::format("{} is not a dataset; must be {}", name, wanted));
      return std::nullopt;
    }
  }
  InputDataset result;
  result.name = name;
  result.handle = Handle(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose, "opening it");
  const Handle type(H5Dget_type(result.handle), H5Tclose, "its type");
  if (!fits(H5Tget_class(type), numbers)) {
    fault(fmt::format("{} does not hold {}; must be {}", name, to_words(numbers), wanted));
    return std::nullopt;
  }
  const Handle creation(H5Dget_create_plist(result.handle), H5Pclose, "its properties");
  if (H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0) {
    fault(fmt::format("{} keeps its values in another file, which is not read; must be {}", name,
                      wanted));
    return std::nullopt;
  }
  const Handle space(H5Dget_space(result.handle), H5Sclose, "its shape");
  if (H5Sget_simple_extent_type(space) == H5S_NULL) {
    fault(fmt::format("{} has no values; must be {}", name, wanted));
    return std::nullopt;
  }
  result.shape = shape_of(space);
  if (!entries_in_memory(result.shape, entry_bytes)) {
    fault(fmt::format("{} has shape {}: more than the {:.1f} GiB of memory here can hold", name,
                      to_string(result.shape), static_cast<double>(memory_limit()) / 0x1p30));
    return std::nullopt;
  }
  return result;
} catch (const Error& failure) {
  fault(fmt::format("{} cannot be read ({}); must be {}", name, failure.what(), wanted));
  return std::nullopt;
}

std::optional<InputDataset> InputFile::dataset_of_shape(const std::string& name, Numbers numbers,
                                                        const Shape& shape) {
  const std::string wanted = fmt::format("{}, {}", to_words(numbers), to_string(shape));
  std::optional<InputDataset> found = dataset(name, numbers, wanted);
  if (found && found->shape != shape) {
    fault(fmt::format("{} has shape {}: must be {}", name, to_string(found->shape),
                      to_string(shape)));
    return std::nullopt;
  }
  return found;
}

template <class T>
std::optional<std::vector<T>> InputFile::values(const InputDataset& found) {
  std::vector<T> result(found.entries());
  if (!result.empty() &&
      H5Dread(found.handle, native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, result.data()) < 0) {
    H5Eclear2(H5E_DEFAULT);
    fault(fmt::format("{} is damaged: its values cannot be read", found.name));
    return std::nullopt;
  }
  return result;
}

std::optional<std::vector<double>> InputFile::reals(const InputDataset& found) {
  return values<double>(found);
}

std::optional<std::vector<std::int64_t>> InputFile::integers(const InputDataset& found) {
  return values<std::int64_t>(found);
}

std::optional<std::vector<double>> InputFile::reals(const std::string& name, const Shape& shape) {
  const auto found = dataset_of_shape(name, Numbers::reals, shape);
  return found ? reals(*found) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> InputFile::integers(const std::string& name,
                                                             const Shape& shape) {
  const auto found = dataset_of_shape(name, Numbers::integers, shape);
  return found ? integers(*found) : std::nullopt;
}

std::optional<std::vector<std::string>> InputFile::texts(const std::string& name) try {
  const auto found = dataset(name, Numbers::texts, "a list of texts");
  if (!found) return std::nullopt;
  const Handle type(H5Dget_type(found->handle), H5Tclose, "its type");
  if (found->shape.size() != 1 || H5Tis_variable_str(type) <= 0) {
    fault(fmt::format("{} must be a one-dimensional list of texts of variable length", name));
    return std::nullopt;
  }
  std::vector<char*> pointers(found->entries(), nullptr);
  const Handle space(H5Dget_space(found->handle), H5Sclose, "its shape");
  const Handle memory(H5Tcopy(type), H5Tclose, "string type");
  if (!pointers.empty()) {
    check(H5Dread(found->handle, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                  static_cast<void*>(pointers.data())),
          "its values");
  }
  std::vector<std::string> values;
  for (const char* text : pointers) values.emplace_back(text == nullptr ? "" : text);
  if (!pointers.empty()) {
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, static_cast<void*>(pointers.data()));
  }
  return values;
} catch (const Error& failure) {
  fault(fmt::format("{} cannot be read ({})", name, failure.what()));
  return std::nullopt;
}

bool InputFile::has_attribute(const std::string& object, const std::string& name) const {
  if (object != "/" && !has(object)) return false;
  return H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::optional<Handle> InputFile::attribute(const std::string& object, const std::string& name,
                                           H5T_class_t type_class, const std::string& wanted) {
  if (!reachable(object, "an object with the attribute " + name)) return std::nullopt;
  const std::string where =
      object == "/" ? "attribute " + name : "attribute " + name + " of " + object;
  if (H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) {
    fault(fmt::format("{} is missing; must be {}", where, wanted));
    return std::nullopt;
  }
  Handle opened(H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                H5Aclose, "opening it");
  const Handle type(H5Aget_type(opened), H5Tclose, "its type");
  const H5T_class_t found = H5Tget_class(type);
  if (found != type_class && !(type_class == H5T_FLOAT && found == H5T_INTEGER)) {
    fault(fmt::format("{} is of the wrong type; must be {}", where, wanted));
    return std::nullopt;
  }
  return opened;
}

std::optional<std::vector<std::int64_t>> InputFile::integers_attribute(
    const std::string& object, const std::string& name, const std::string& wanted) try {
  const std::optional<Handle> found = attribute(object, name, H5T_INTEGER, wanted);
  if (!found) return std::nullopt;
  const Handle space(H5Aget_space(*found), H5Sclose, "its shape");
  const Shape shape = shape_of(space);
  const std::optional<std::size_t> entries = entries_in_memory(shape, sizeof(std::int64_t));
  if (shape.size() > 1 || !entries) {
    fault(fmt::format("attribute {} has shape {}: must be {}", name, to_string(shape), wanted));
    return std::nullopt;
  }
  std::vector<std::int64_t> values(*entries);
  if (!values.empty()) check(H5Aread(*found, H5T_NATIVE_INT64, values.data()), "its values");
  return values;
} catch (const Error& failure) {
  fault(fmt::format("attribute {} cannot be read ({}); must be {}", name, failure.what(), wanted));
  return std::nullopt;
}

std::optional<std::int64_t> InputFile::integer_attribute(const std::string& object,
                                                         const std::string& name,
                                                         const std::string& wanted) {
  const auto values = integers_attribute(object, name, wanted);
  if (!values) return std::nullopt;
  if (values->size() != 1) {
    fault(fmt::format("attribute {} holds {} numbers; must be {}", name, values->size(), wanted));
    return std::nullopt;
  }
  return values->front();
}

std::optional<double> InputFile::real_attribute(const std::string& object,
                                                const std::string& name) try {
  const std::optional<Handle> found = attribute(object, name, H5T_FLOAT, "a number");
  if (!found) return std::nullopt;
  const Handle space(H5Aget_space(*found), H5Sclose, "its shape");
  if (H5Sget_simple_extent_npoints(space) != 1) {
    fault(fmt::format("attribute {} of {} has shape {}: must be a number", name, object,
                      to_string(shape_of(space))));
    return std::nullopt;
  }
  double value = 0.0;
  check(H5Aread(*found, H5T_NATIVE_DOUBLE, &value), "its value");
  return value;
} catch (const Error& failure) {
  fault(fmt::format("attribute {} of {} cannot be read ({}); must be a number", name, object,
                    failure.what()));
  return std::nullopt;
}

std::optional<std::string> InputFile::text_attribute(const std::string& object,
                                                     const std::string& name) try {
  const std::optional<Handle> found = attribute(object, name, H5T_STRING, "a text");
  if (!found) return std::nullopt;
  const Handle space(H5Aget_space(*found), H5Sclose, "its shape");
  const Handle type(H5Aget_type(*found), H5Tclose, "its type");
  const std::size_t size = H5Tget_size(type);
  const htri_t variable = check(H5Tis_variable_str(type), "its type");
  if (H5Sget_simple_extent_npoints(space) != 1 || (variable == 0 && size > longest_text)) {
    fault(fmt::format("attribute {} of {} must be one text", name, object));
    return std::nullopt;
  }
  if (variable > 0) {
    char* text = nullptr;
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
    check(H5Tset_size(memory, H5T_VARIABLE), "string size");
    check(H5Tset_cset(memory, H5Tget_cset(type)), "string encoding");
    check(H5Aread(*found, memory, static_cast<void*>(&text)), "its value");
    const std::string value = text == nullptr ? "" : text;
    H5free_memory(text);
    return value;
  }
  std::string value(size, '\0');
  check(H5Aread(*found, type, value.data()), "its value");
  return value.substr(0, value.find('\0'));
} catch (const Error& failure) {
  fault(fmt::format("attribute {} of {} cannot be read ({}); must be a text", name, object,
                    failure.what()));
  return std::nullopt;
}

void read_rows(const InputDataset& dataset, hsize_t begin, hsize_t rows,
               std::span<std::int64_t> out) {
  Shape start(dataset.shape.size(), 0);
  Shape count = dataset.shape;
  start.front() = begin;
  count.front() = rows;
  const Handle space(H5Dget_space(dataset.handle), H5Sclose, "its shape");
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "its rows");
  const hsize_t size = out.size();
  const Handle memory(H5Screate_simple(1, &size, nullptr), H5Sclose, "dataspace");
  check(H5Dread(dataset.handle, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, out.data()),
        "its values");
}

}  // namespace gihflow::hdf5
