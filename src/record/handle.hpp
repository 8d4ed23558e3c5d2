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

/// Whoever calls HDF5, whose own code may run in one thread at a time only, holds this lock.
std::mutex& library_mutex();

/// Keeps the library from printing its error stack and from loading filter plug-ins, which would be
/// code that a file chooses. Once a thread.
void prepare_library();

/// Throws Error with the library's message for what has just failed.
[[noreturn]] void fail(const char* what);

/// An HDF5 identifier, closed by the function that its kind needs.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  /// Throws Error when `id` is what a failing call returned.
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

/// Throws Error when `status` is what a failing call returned.
template <class Status>
Status check(Status status, const char* what) {
  if (status < 0) fail(what);
  return status;
}

}  // namespace gihflow::hdf5
