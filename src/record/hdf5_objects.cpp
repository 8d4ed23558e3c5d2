#include "record/hdf5_objects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "gihflow/base/text.hpp"
#include "gihflow/record/library.hpp"

namespace gihflow::hdf5 {

namespace {

std::string member_name(hid_t type, unsigned index) {
  char* const text = H5Tget_member_name(type, index);
  const std::string name = text != nullptr && is_plain_utf8(text) ? text : "?";
  H5free_memory(text);
  return name;
}

unsigned members_of(hid_t type) {
  return static_cast<unsigned>(check(H5Tget_nmembers(type), "its type"));
}

std::string base_words(hid_t type) {
  return type_words(Handle(H5Tget_super(type), H5Tclose, "its type"));
}

std::string enum_words(hid_t type) {
  const Handle base(H5Tget_super(type), H5Tclose, "its type");
  std::vector<std::string> values;
  for (unsigned i = 0; i < members_of(type); ++i) {
    std::int64_t value = 0;
    std::array<std::byte, 64> buffer{};
    if (H5Tget_size(base) > buffer.size()) throw Error("its type is too large");
    check(H5Tget_member_value(type, i, buffer.data()), "its type");
    check(H5Tconvert(base, H5T_NATIVE_INT64, 1, buffer.data(), nullptr, H5P_DEFAULT), "its type");
    std::memcpy(&value, buffer.data(), sizeof value);
    values.push_back(fmt::format("{} = {}", member_name(type, i), value));
  }
  return fmt::format("an enum of {} ({})", type_words(base), fmt::join(values, ", "));
}

std::string compound_words(hid_t type) {
  std::vector<std::string> members;
  for (unsigned i = 0; i < members_of(type); ++i) {
    const Handle member(H5Tget_member_type(type, i), H5Tclose, "its type");
    members.push_back(fmt::format("{}: {}", member_name(type, i), type_words(member)));
  }
  return fmt::format("compounds ({})", fmt::join(members, ", "));
}

std::string array_words(hid_t type) {
  std::vector<hsize_t> shape(static_cast<std::size_t>(check(H5Tget_array_ndims(type), "its type")));
  check(H5Tget_array_dims2(type, shape.data()), "its type");
  return fmt::format("arrays [{}] of {}", fmt::join(shape, ", "), base_words(type));
}

struct Chunks {
  Shape length;  // of a chunk along each axis
  Shape count;   // number of chunks along each axis
};

Chunks chunks_of(hid_t creation, const Shape& shape) {
  Chunks chunks{Shape(shape.size()), shape};
  check(H5Pget_chunk(creation, static_cast<int>(shape.size()), chunks.length.data()), "its chunks");
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const hsize_t length = chunks.length[axis];
    chunks.count[axis] = shape[axis] / length + (shape[axis] % length != 0 ? 1 : 0);
  }
  return chunks;
}

}  // namespace

std::string type_words(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", 8 * size);
    case H5T_FLOAT:
      return fmt::format("float{}", 8 * size);
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0 ? "texts" : fmt::format("texts of {} bytes", size);
    case H5T_BITFIELD:
      return fmt::format("bit fields of {} bits", 8 * size);
    case H5T_OPAQUE:
      return fmt::format("opaque data of {} bytes", size);
    case H5T_COMPOUND:
      return compound_words(type);
    case H5T_ENUM:
      return enum_words(type);
    case H5T_ARRAY:
      return array_words(type);
    case H5T_VLEN:
      return "lists of " + base_words(type);
    case H5T_REFERENCE:
      return "references";
    default:
      return "values of an unknown type";
  }
}

bool is_plain(hid_t type) {
  for (const H5T_class_t pointing : {H5T_VLEN, H5T_REFERENCE})
    if (H5Tdetect_class(type, pointing) != 0) return false;
  // Texts of variable length hold pointers too; texts within compounds and arrays are not examined
  // further, so these never count as plain.
  const H5T_class_t found = H5Tget_class(type);
  if (found == H5T_STRING) return H5Tis_variable_str(type) == 0;
  return (found != H5T_COMPOUND && found != H5T_ARRAY) || H5Tdetect_class(type, H5T_STRING) == 0;
}

Shape shape_of(hid_t space) {
  if (H5Sget_simple_extent_type(space) == H5S_SCALAR) return {};
  Shape shape(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space), "dataspace")));
  if (!shape.empty()) check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "dataspace");
  return shape;
}

std::string missing_filter(hid_t creation) {
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, name.size(), name.data(), nullptr);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    const std::string named(name.data());
    return fmt::format(
        "is compressed by the filter {} ({}), which {} does not have: write it without or with "
        "gzip (h5repack -f GZIP=4), or set HDF5_PLUGIN_PATH to the directory of the filter",
        is_plain_utf8(named) && !named.empty() ? named : "without a name", static_cast<int>(filter),
        file_library());
  }
  return "";
}

bool is_chunked(hid_t creation) {
  return H5Pget_layout(creation) == H5D_CHUNKED;
}

double bytes_of_chunk_row(hid_t creation, const Shape& shape, std::size_t entry_bytes) {
  const Chunks chunks = chunks_of(creation, shape);
  double bytes = static_cast<double>(entry_bytes) * static_cast<double>(chunks.length.front());
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    bytes *= static_cast<double>(chunks.count[axis]) * static_cast<double>(chunks.length[axis]);
  }
  return bytes;
}

bool is_stored(hid_t dataset, const Shape& shape) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose, "its properties");
  if (is_chunked(creation)) {
    const Shape count = chunks_of(creation, shape).count;
    const Handle space(H5Dget_space(dataset), H5Sclose, "its shape");
    hsize_t written = 0;
    check(H5Dget_num_chunks(dataset, space, &written), "its storage");
    return written >= std::accumulate(count.begin(), count.end(), hsize_t{1}, std::multiplies<>());
  }
  H5D_space_status_t status{};
  check(H5Dget_space_status(dataset, &status), "its storage");
  return status == H5D_SPACE_STATUS_ALLOCATED;
}

std::vector<std::string> places(const Shape& shape) {
  std::vector<std::string> all{""};
  for (const hsize_t length : shape) {
    std::vector<std::string> longer;
    for (const std::string& place : all)
      for (hsize_t i = 1; i <= length; ++i)
        longer.push_back(place.empty() ? fmt::format("{}", i) : fmt::format("{},{}", place, i));
    all = std::move(longer);
  }
  for (std::string& place : all) place = fmt::format("[{}]", place);
  return all;
}

std::vector<std::string> read_texts(hid_t type, hid_t space, std::size_t entries,
                                    const std::function<herr_t(hid_t, void*)>& read) {
  std::vector<char*> pointers(entries, nullptr);
  const Handle memory(H5Tcopy(type), H5Tclose, "string type");
  void* const texts = static_cast<void*>(pointers.data());
  if (entries > 0) check(read(memory, texts), "its values");
  std::vector<std::string> values;
  for (const char* text : pointers) values.emplace_back(text == nullptr ? "" : text);
  if (entries > 0) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts);
  return values;
}

}  // namespace gihflow::hdf5
