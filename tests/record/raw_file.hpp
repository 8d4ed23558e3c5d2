#pragma once

// Files written with the C interface of HDF5 alone, for what our own writers would never write.

#include <hdf5.h>

#include <string>
#include <vector>

namespace gihflow::testing {

class RawFile {
 public:
  explicit RawFile(const std::string& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() { close(); }

  /// Files are read by a child of this process, which cannot see what is still open here.
  void close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }

  hid_t id() const { return file_; }

  template <class T>
  void dataset(const std::string& name, hid_t native, hid_t stored,
               const std::vector<hsize_t>& shape, const std::vector<T>& values) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t made =
        H5Dcreate2(file_, name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(made, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(made);
    H5Sclose(space);
  }
  void integers(const std::string& name, const std::vector<hsize_t>& shape,
                const std::vector<long long>& values, hid_t stored = H5T_STD_I32LE) {
    dataset(name, H5T_NATIVE_LLONG, stored, shape, values);
  }
  void reals(const std::string& name, const std::vector<hsize_t>& shape,
             const std::vector<double>& values) {
    dataset(name, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, shape, values);
  }
  void integer_attribute(const std::string& name, const std::vector<long long>& values) {
    const hsize_t size = values.size();
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    const hid_t made =
        H5Acreate2(file_, name.c_str(), H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(made, H5T_NATIVE_LLONG, values.data());
    H5Aclose(made);
    H5Sclose(space);
  }

 private:
  hid_t file_;
};

}  // namespace gihflow::testing
