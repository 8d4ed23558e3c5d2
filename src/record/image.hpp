#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "record/handle.hpp"

namespace gihflow::hdf5 {

using Shape = std::vector<hsize_t>;

/// Units and meaning of a dataset, and the dimension scale (an absolute path) of each axis.
struct Meaning {
  std::string units;
  std::string long_name;
  std::vector<std::string> axes;
};

/// Native and stored types of numbers in files; stored types are little-endian.
template <class T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
}
template <class T>
hid_t stored_type() {
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_STD_U16LE;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_STD_I8LE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
}

/// An HDF5 file built in memory, so writing it is a plain write of bytes with the operating
/// system's errors. Object times are not recorded, so equal contents give equal bytes.
class Image {
 public:
  Image();

  void group(const std::string& path);

  /// Attributes of the object at `path`; strings are UTF-8 of variable length.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name, const char* value) {
    attribute(path, name, std::string(value));
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void attribute(const std::string& path, const std::string& name, T value) {
    write_attribute(path, name, native_type<T>(), stored_type<T>(), &value, nullptr);
  }
  void attribute(const std::string& path, const std::string& name,
                 std::span<const std::int64_t> values);

  /// A dataset of the given shape; an empty shape is a scalar.
  template <class T>
  void dataset(const std::string& path, std::span<const T> values, const Shape& shape,
               const Meaning& meaning) {
    write_dataset(path, native_type<T>(), stored_type<T>(), values.data(), values.size(), shape,
                  meaning);
  }
  template <class T>
  void scalar(const std::string& path, T value, const Meaning& meaning) {
    dataset<T>(path, std::span<const T>(&value, 1), {}, meaning);
  }

  /// A list of texts, UTF-8 of variable length, at the given dimension scale.
  void texts(const std::string& path, const std::vector<std::string>& values,
             const std::string& long_name, const std::string& axis);

  /// Makes the one-dimensional dataset at `path` a dimension scale of that name.
  void make_scale(const std::string& path);
  /// A dimension scale with the values first, first + 1, …
  void counting_scale(const std::string& path, std::int64_t first, std::size_t size,
                      const std::string& long_name);

  /// The bytes of the file, valid until the next call of a member.
  std::span<const std::byte> bytes();

 private:
  void write_attribute(const std::string& path, const std::string& name, hid_t native, hid_t stored,
                       const void* value, const hsize_t* size);
  void write_dataset(const std::string& path, hid_t native, hid_t stored, const void* values,
                     std::size_t count, const Shape& shape, const Meaning& meaning);

  void attach(hid_t object, const std::string& name, const std::string& value) const;
  // The object at a path. The last one stays open: what is written is mostly its own.
  hid_t object(const std::string& path);
  hid_t keep_open(const std::string& path, Handle object);
  hobj_ref_t reference_to_scale(const std::string& path);
  void attach_scales(hid_t dataset, const std::string& path, const std::vector<std::string>& axes);
  void list_references();

  // An entry of REFERENCE_LIST: a dataset and its axis along a scale.
  struct AxisReference {
    hobj_ref_t dataset;
    std::int32_t axis;
  };

  Handle access_, transfer_, text_, without_times_;
  Handle file_;
  std::string open_path_;
  Handle open_;
  std::map<std::string, hobj_ref_t> scales_;
  std::map<std::string, std::vector<AxisReference>> references_;  // by scale, not written yet
};

}  // namespace gihflow::hdf5
