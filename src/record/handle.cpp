#include "record/handle.hpp"

#include <fmt/format.h>

#include "gihflow/record/library.hpp"

namespace gihflow::hdf5 {

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

void prepare_library() {
  thread_local const bool done = [] {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(done);
}

void fail(const char* what) {
  std::string message;
  const auto innermost = [](unsigned, const H5E_error2_t* entry, void* text) -> herr_t {
    if (entry->desc != nullptr) *static_cast<std::string*>(text) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, innermost, &message);
  H5Eclear2(H5E_DEFAULT);
  if (message.find("version") != std::string::npos)
    message += fmt::format("; a later version than {} wrote it, or it is damaged", file_library());
  throw Error(message.empty() ? std::string(what) + " failed" : std::string(what) + ": " + message);
}

}  // namespace gihflow::hdf5
