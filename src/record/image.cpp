#include "record/image.hpp"

#include <hdf5_hl.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>

namespace gihflow::hdf5 {

namespace {

constexpr std::size_t growth = std::size_t{1} << 18;     // bytes of each growth of the image
constexpr std::size_t converted = std::size_t{1} << 14;  // bytes of values converted at a time

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  check(H5Tset_size(type, H5T_VARIABLE), "string size");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "string encoding");
  return type;
}

Handle without_times(hid_t property_class) {
  Handle properties(H5Pcreate(property_class), H5Pclose, "property list");
  check(H5Pset_obj_track_times(properties, false), "object times");
  return properties;
}

void attach(hid_t object, const std::string& name, hid_t native, hid_t stored, const void* value,
            const hsize_t* size) {
  const Handle space(size == nullptr ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, size, nullptr),
                     H5Sclose, "dataspace");
  const Handle attribute(H5Acreate2(object, name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, "new attribute");
  check(H5Awrite(attribute, native, value), "attribute");
}

hobj_ref_t reference_to(hid_t object) {
  hobj_ref_t result{};
  check(H5Rcreate(&result, object, ".", H5R_OBJECT, -1), "reference");
  return result;
}

}  // namespace

Image::Image() {
  prepare_library();
  access_ = Handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "property list");
  check(H5Pset_fapl_core(access_, growth, false), "memory driver");
  const Handle creation = without_times(H5P_FILE_CREATE);
  // A unique name, since HDF5 treats two files in memory with one name as the same file.
  static std::atomic<unsigned> images = 0;
  const std::string name = "image " + std::to_string(++images);
  file_ = Handle(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation, access_), H5Fclose, "new file");
  // A small buffer: by default HDF5 clears two megabytes for every list of texts.
  transfer_ = Handle(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "property list");
  check(H5Pset_buffer(transfer_, converted, nullptr, nullptr), "conversion buffer");
  text_ = text_type();
  without_times_ = without_times(H5P_DATASET_CREATE);
}

void Image::attach(hid_t object, const std::string& name, const std::string& value) const {
  const char* text = value.c_str();
  hdf5::attach(object, name, text_, text_, &text, nullptr);
}

hid_t Image::object(const std::string& path) {
  if (path == open_path_) return open_;
  return keep_open(path, Handle(H5Oopen(file_, path.c_str(), H5P_DEFAULT), H5Oclose, "object"));
}

hid_t Image::keep_open(const std::string& path, Handle object) {
  open_path_ = path;
  open_ = std::move(object);
  return open_;
}

void Image::group(const std::string& path) {
  const Handle creation = without_times(H5P_GROUP_CREATE);
  keep_open(path, Handle(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT),
                         H5Gclose, "new group"));
}

void Image::write_attribute(const std::string& path, const std::string& name, hid_t native,
                            hid_t stored, const void* value, const hsize_t* size) {
  hdf5::attach(object(path), name, native, stored, value, size);
}

void Image::attribute(const std::string& path, const std::string& name, const std::string& value) {
  attach(object(path), name, value);
}

void Image::attribute(const std::string& path, const std::string& name,
                      std::span<const std::int64_t> values) {
  const hsize_t size = values.size();
  const std::int64_t nothing = 0;
  write_attribute(path, name, native_type<std::int64_t>(), stored_type<std::int64_t>(),
                  values.empty() ? &nothing : values.data(), &size);
}

void Image::write_dataset(const std::string& path, hid_t native, hid_t stored, const void* values,
                          std::size_t count, const Shape& shape, const Meaning& meaning) {
  const auto entries =
      std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<hsize_t>());
  if (entries != count) throw Error(path + ": values do not fill the shape");
  const Handle space(shape.empty()
                         ? H5Screate(H5S_SCALAR)
                         : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                     H5Sclose, "dataspace");
  const hid_t made = keep_open(path, Handle(H5Dcreate2(file_, path.c_str(), stored, space,
                                                       H5P_DEFAULT, without_times_, H5P_DEFAULT),
                                            H5Dclose, "new dataset"));
  check(H5Dwrite(made, native, H5S_ALL, H5S_ALL, transfer_, values), "dataset");
  attach_scales(made, path, meaning.axes);
  attach(made, "units", meaning.units);
  attach(made, "long_name", meaning.long_name);
}

hobj_ref_t Image::reference_to_scale(const std::string& path) {
  const auto found = scales_.find(path);
  if (found != scales_.end()) return found->second;
  const Handle scale(H5Oopen(file_, path.c_str(), H5P_DEFAULT), H5Oclose, "dimension scale");
  return scales_[path] = reference_to(scale);
}

// Used instead of H5DSattach_scale, which rewrites the scale's list of references for every
// dataset.
void Image::attach_scales(hid_t dataset, const std::string& path,
                          const std::vector<std::string>& axes) {
  const auto is_own = [&](const std::string& scale) { return scale == path; };
  if (std::all_of(axes.begin(), axes.end(), is_own)) return;
  std::vector<hobj_ref_t> scales;
  const hobj_ref_t own = reference_to(dataset);
  for (const std::string& scale : axes) {
    references_[scale].push_back({own, static_cast<int>(scales.size())});
    scales.push_back(reference_to_scale(scale));
  }
  std::vector<hvl_t> lists;
  for (hobj_ref_t& scale : scales) lists.push_back({1, &scale});
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "list type");
  const hsize_t size = lists.size();
  hdf5::attach(dataset, "DIMENSION_LIST", type, type, lists.data(), &size);
}

void Image::list_references() {
  const auto type_of = [](std::size_t size, std::size_t axis_offset, hid_t axis) {
    Handle type(H5Tcreate(H5T_COMPOUND, size), H5Tclose, "reference type");
    check(H5Tinsert(type, "dataset", 0, H5T_STD_REF_OBJ), "reference type");
    check(H5Tinsert(type, "dimension", axis_offset, axis), "reference type");
    return type;
  };
  const Handle native =
      type_of(sizeof(AxisReference), offsetof(AxisReference, axis), H5T_NATIVE_INT32);
  const Handle stored = type_of(sizeof(hobj_ref_t) + 4, sizeof(hobj_ref_t), H5T_STD_I32LE);
  for (const auto& [path, list] : references_) {
    const hsize_t size = list.size();
    write_attribute(path, "REFERENCE_LIST", native, stored, list.data(), &size);
  }
  references_.clear();
}

void Image::texts(const std::string& path, const std::vector<std::string>& values,
                  const std::string& long_name, const std::string& axis) {
  std::vector<const char*> pointers;
  for (const std::string& value : values) pointers.push_back(value.c_str());
  write_dataset(path, text_, text_, static_cast<const void*>(pointers.data()), values.size(),
                {values.size()}, {"1", long_name, {axis}});
}

void Image::make_scale(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  check(H5DSset_scale(object(path), name.c_str()), "dimension scale");
}

void Image::counting_scale(const std::string& path, std::int64_t first, std::size_t size,
                           const std::string& long_name) {
  std::vector<std::int64_t> values(size);
  std::iota(values.begin(), values.end(), first);
  dataset<std::int64_t>(path, values, {size}, {"1", long_name, {}});
  make_scale(path);
}

std::span<const std::byte> Image::bytes() {
  list_references();
  keep_open("", {});  // what a dataset holds back is written when it is closed
  check(H5Fflush(file_, H5F_SCOPE_GLOBAL), "flush");
  const ssize_t size = check(H5Fget_file_image(file_, nullptr, 0), "size of the file");
  void* handle = nullptr;  // the memory driver returns a pointer to its buffer's pointer
  check(H5Fget_vfd_handle(file_, access_, &handle), "image of the file");
  return {static_cast<const std::byte*>(*static_cast<void**>(handle)),
          static_cast<std::size_t>(size)};
}

}  // namespace gihflow::hdf5
