#include "record/input_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "gihflow/base/text.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/library.hpp"
#include "record/child.hpp"
#include "record/hdf5_objects.hpp"

namespace gihflow::hdf5 {

namespace {

constexpr std::size_t longest_text = std::size_t{1} << 20;
constexpr std::size_t largest_digest = std::size_t{1} << 29;  // bytes

// Sizes of the cache of decompressed chunks: within the limit of a child, with room for work on one
// chunk.
constexpr double largest_cache = 0x1p28, least_cache = 0x1p20;
constexpr std::size_t cache_slots = 100'003;

// All prefixes of a path: "/a/b" gives "/a", "/a/b".
std::vector<std::string> prefixes(const std::string& object) {
  std::vector<std::string> result;
  for (std::size_t slash = object.find('/', 1); slash != std::string::npos;
       slash = object.find('/', slash + 1)) {
    result.push_back(object.substr(0, slash));
  }
  if (object.size() > 1) result.push_back(object);
  return result;
}

bool fits(H5T_class_t type_class, Numbers numbers) {
  switch (numbers) {
    case Numbers::integers:
      return type_class == H5T_INTEGER;
    case Numbers::reals:
      return type_class == H5T_INTEGER || type_class == H5T_FLOAT;
    case Numbers::texts:
      return type_class == H5T_STRING;
    case Numbers::codes:
      return type_class == H5T_INTEGER || type_class == H5T_ENUM;
  }
  return false;
}

// The type in memory for reading.
hid_t native_of(Numbers numbers, hid_t stored) {
  if (numbers == Numbers::reals) return H5T_NATIVE_DOUBLE;
  const bool is_unsigned =
      H5Tget_class(stored) == H5T_INTEGER && H5Tget_sign(stored) == H5T_SGN_NONE;
  return numbers == Numbers::codes && is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
}

}  // namespace

std::string to_string(const Shape& shape) {
  return shape.empty() ? "a scalar" : fmt::format("[{}]", fmt::join(shape, ", "));
}

const char* to_words(Numbers numbers) {
  switch (numbers) {
    case Numbers::integers:
    case Numbers::codes:
      return "integers";
    case Numbers::reals:
      return "numbers";
    case Numbers::texts:
      return "texts";
  }
  return "";
}

std::size_t InputDataset::entries() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

InputReader::InputReader(const std::string& path, std::span<std::byte> window) : window_(window) {
  prepare_library();
  try {
    // HDF5 does not lock the file, since not every file system has locks.
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "property list");
#if H5_VERSION_GE(1, 10, 7)
    check(H5Pset_file_locking(access, false, true), "file locking");
#else
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
#endif
    file_ = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, "opening it");
  } catch (const Error& failure) {
    fault(fmt::format("is not a readable HDF5 file ({})", failure.what()));
  }
}

void InputReader::load_filters() {
  H5PLset_loading_state(H5PL_FILTER_PLUGIN);
  const auto look = [](hid_t object, const char* name, const H5O_info_t* info, void*) -> herr_t {
    if (info->type != H5O_TYPE_DATASET) return 0;
    const Handle dataset(H5Dopen2(object, name, H5P_DEFAULT), H5Dclose, "opening it");
    static_cast<void>(missing_filter(Handle(H5Dget_create_plist(dataset), H5Pclose, "properties")));
    return 0;
  };
  if (file_ >= 0) H5Ovisit2(file_, H5_INDEX_NAME, H5_ITER_INC, look, nullptr, H5O_INFO_BASIC);
  H5Eclear2(H5E_DEFAULT);
  H5PLset_loading_state(0);
}

bool InputReader::has(const std::string& object) {
  for (const std::string& prefix : prefixes(object)) {
    if (H5Lexists(file_, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t link{};
    if (H5Lget_info(file_, prefix.c_str(), &link, H5P_DEFAULT) < 0) return false;
    if (link.type != H5L_TYPE_HARD) return true;  // reachable() says why it is not followed
  }
  return true;
}

bool InputReader::reachable(const std::string& object, const std::string& wanted) {
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

std::optional<Shape> InputReader::dataset(const std::string& name, Numbers numbers,
                                          const std::string& wanted) try {
  if (!reachable(name, wanted)) return std::nullopt;
  {
    const Handle object(H5Oopen(file_, name.c_str(), H5P_DEFAULT), H5Oclose, "opening it");
    if (H5Iget_type(object) != H5I_DATASET) {
      fault(fmt::format("{} is not a dataset; must be {}", name, wanted));
      return std::nullopt;
    }
  }
  Handle opened(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose, "opening it");
  const Handle type(H5Dget_type(opened), H5Tclose, "its type");
  if (!fits(H5Tget_class(type), numbers)) {
    fault(fmt::format("{} does not hold {} but {}; must be {}", name, to_words(numbers),
                      type_words(type), wanted));
    return std::nullopt;
  }
  const Handle creation(H5Dget_create_plist(opened), H5Pclose, "its properties");
  if (H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0) {
    fault(fmt::format("{} keeps its values in another file, which is not read; must be {}", name,
                      wanted));
    return std::nullopt;
  }
  const Handle space(H5Dget_space(opened), H5Sclose, "its shape");
  if (H5Sget_simple_extent_type(space) == H5S_NULL) {
    fault(fmt::format("{} has no values; must be {}", name, wanted));
    return std::nullopt;
  }
  InputDataset result{name, datasets_.size(), numbers, shape_of(space)};
  if (is_chunked(creation) && H5Pget_nfilters(creation) > 0) {
    if (const std::string missing = missing_filter(creation); !missing.empty()) {
      fault(fmt::format("{} {}", name, missing));
      return std::nullopt;
    }
    const double bytes = bytes_of_chunk_row(creation, result.shape, H5Tget_size(type));
    if (!(bytes <= largest_cache)) {
      fault(
          fmt::format("{} is compressed in chunks of which a row takes {:.3g} MiB: must be at "
                      "most {}",
                      name, bytes / 0x1p20, largest_cache / 0x1p20));
      return std::nullopt;
    }
    const Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose, "property list");
    check(H5Pset_chunk_cache(access, cache_slots,
                             static_cast<std::size_t>(std::max(least_cache, bytes)), 1.0),
          "chunk cache");
    opened = {};  // reopened, since an open dataset keeps its cache
    opened = Handle(H5Dopen2(file_, name.c_str(), access), H5Dclose, "opening it");
  }
  datasets_.emplace_back(result, std::move(opened));
  return result.shape;
} catch (const Error& failure) {
  fault(fmt::format("{} cannot be read ({}); must be {}", name, failure.what(), wanted));
  return std::nullopt;
}

bool InputReader::part(std::size_t number, std::size_t offset, const Shape& start,
                       const Shape& count) try {
  const std::span<std::byte> out = window_.subspan(offset);
  const auto& [dataset, opened] = datasets_.at(number);
  const hsize_t entries =
      std::accumulate(count.begin(), count.end(), hsize_t{1}, std::multiplies<>());
  if (entries > out.size() / sizeof(double)) throw Error("a part is too large");
  const auto is_zero = [](hsize_t index) { return index == 0; };
  const bool first = std::all_of(start.begin(), start.end(), is_zero);
  if (first && !is_stored(opened, dataset.shape)) {
    fault(fmt::format("{} has values that were never written", dataset.name));
    return false;
  }
  const Handle space(H5Dget_space(opened), H5Sclose, "its shape");
  const Handle memory(H5Screate_simple(1, &entries, nullptr), H5Sclose, "dataspace");
  if (!count.empty()) {
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "a part of it");
  }
  const Handle type(H5Dget_type(opened), H5Tclose, "its type");
  check(H5Dread(opened, native_of(dataset.numbers, type), memory, space, H5P_DEFAULT, out.data()),
        "its values");
  return true;
} catch (const Error&) {
  fault(fmt::format("{} is damaged: its values cannot be read", datasets_.at(number).first.name));
  return false;
}

std::optional<std::vector<std::string>> InputReader::texts(std::size_t number) try {
  const auto& dataset = datasets_.at(number).first;
  const hid_t opened = datasets_.at(number).second;
  const Handle type(H5Dget_type(opened), H5Tclose, "its type");
  if (dataset.entries() > most_entries || H5Tis_variable_str(type) <= 0) {
    fault(fmt::format("{} must be a list of at most {} texts of variable length", dataset.name,
                      most_entries));
    return std::nullopt;
  }
  const Handle space(H5Dget_space(opened), H5Sclose, "its shape");
  std::vector<std::string> values =
      read_texts(type, space, dataset.entries(), [&](hid_t memory, void* texts) {
        return H5Dread(opened, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
      });
  if (!std::all_of(values.begin(), values.end(), is_plain_utf8)) {
    fault(fmt::format("{} must hold texts in UTF-8 without control characters", dataset.name));
    return std::nullopt;
  }
  return values;
} catch (const Error& failure) {
  fault(fmt::format("{} cannot be read ({})", datasets_.at(number).first.name, failure.what()));
  return std::nullopt;
}

bool InputReader::has_attribute(const std::string& object, const std::string& name) {
  if (object != "/" && !has(object)) return false;
  return H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::optional<Handle> InputReader::attribute(const std::string& object, const std::string& name,
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
    fault(fmt::format("{} is of the wrong type, {}; must be {}", where, type_words(type), wanted));
    return std::nullopt;
  }
  return opened;
}

std::optional<std::vector<std::int64_t>> InputReader::integers_attribute(
    const std::string& object, const std::string& name, const std::string& wanted) try {
  const std::optional<Handle> found = attribute(object, name, H5T_INTEGER, wanted);
  if (!found) return std::nullopt;
  const Handle space(H5Aget_space(*found), H5Sclose, "its shape");
  const Shape shape = shape_of(space);
  if (shape.size() > 1 || (shape.size() == 1 && shape.front() > most_entries)) {
    fault(fmt::format("attribute {} has shape {}: must be {}", name, to_string(shape), wanted));
    return std::nullopt;
  }
  std::vector<std::int64_t> values(shape.empty() ? 1 : shape.front());
  if (!values.empty()) check(H5Aread(*found, H5T_NATIVE_INT64, values.data()), "its values");
  return values;
} catch (const Error& failure) {
  fault(fmt::format("attribute {} cannot be read ({}); must be {}", name, failure.what(), wanted));
  return std::nullopt;
}

std::optional<double> InputReader::real_attribute(const std::string& object,
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

std::optional<std::string> InputReader::text_attribute(const std::string& object,
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
  std::string value;
  if (variable > 0) {
    value = read_texts(type, space, 1, [&](hid_t memory, void* text) {
              return H5Aread(*found, memory, text);
            }).front();
  } else {
    value.resize(size);
    check(H5Aread(*found, type, value.data()), "its value");
    value.resize(std::min(size, value.find('\0')));
  }
  if (!is_plain_utf8(value)) {
    fault(fmt::format("attribute {} of {} must be a text in UTF-8 without control characters", name,
                      object));
    return std::nullopt;
  }
  return value;
} catch (const Error& failure) {
  fault(fmt::format("attribute {} of {} cannot be read ({}); must be a text", name, object,
                    failure.what()));
  return std::nullopt;
}

Message Reading::operator()(Message request, std::span<std::byte> window) {
  if (reader_) return request.take<Call>()(*reader_, request);
  reader_ = std::make_shared<InputReader>(request.take<std::string>(), window);
  if (isolation_ == Isolation::child) {
    reader_->load_filters();
    forbid_opening_files();
  }
  return std::move(Message() << reader_->take_faults() << true);
}

}  // namespace gihflow::hdf5
