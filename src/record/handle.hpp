#pragma once

#include <hdf5.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace gihflow::hdf5 {

/// An HDF5 call failed; what() is the library's own innermost message.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Lock to hold during HDF5 calls, since HDF5 may run in only one thread at a time.
std::mutex& library_mutex();

/// Turns off the printing of HDF5's error stack and the loading of filter plug-ins, which would run
/// code that a file chooses. Takes effect once per thread.
void prepare_library();

/// Throws Error with HDF5's message for the last failure.
[[noreturn]] void fail(const char* what);

/// An HDF5 identifier with the function that closes it.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  /// Throws Error if `id` is negative, the result of a failed call.
  Handle(hid_t id, Closer close, const char* what) : id_(id), close_(close) {
    if (id < 0) fail(what);
  }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const noexcept { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Closer close_ = nullptr;
};

/// Throws Error if `status` is negative, the result of a failed call.
template <class Status>
Status check(Status status, const char* what) {
  if (status < 0) fail(what);
  return status;
}

}  // namespace gihflow::hdf5
