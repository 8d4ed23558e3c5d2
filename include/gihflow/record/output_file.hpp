#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"

namespace GIHFLOW_API gihflow {

/// Why `path`, given as `field`, cannot become an output: it exists and `force` is false, it is not
/// a regular file, its directory is missing. Touches nothing.
std::optional<Fault> output_fault(Field field, const std::string& path, bool force);

/// A file that this process alone may write, and that is only ever replaced as a whole, so that
/// readers, other processes and a kill at any moment see a complete one.
///
/// Exclusion is a kernel lock (flock) on `path`.lock, which ends with the process however that
/// ends. Files beside the output that the program did not make are neither written nor removed: its
/// lock file says that it is the program's and names the temporary, so that the next process
/// removes both after a kill; where `path`.partial is taken the temporary has another name.
class OutputFile {
 public:
  /// Takes the lock. Throws InputError: output_fault, or another process holds the lock. On a file
  /// system without locks it goes on without one and leaves a note.
  OutputFile(std::string path, bool force);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// The path as it was given.
  const std::string& path() const noexcept { return path_; }
  /// A sentence for the user where the file could not be locked; else empty.
  const std::string& note() const noexcept { return note_; }

  /// Replaces the file: writes a temporary in the same directory, fsync, rename, fsync of the
  /// directory. Throws WriteError; what was there before is then untouched and the temporary
  /// removed. Without `force` the first call also fails when the file has appeared since the
  /// constructor.
  void replace(std::span<const std::byte> contents);

 private:
  void take_lock();
  void release();

  std::string path_;       // as the caller named it
  std::string target_;     // where it is, symbolic links resolved
  std::string temporary_;  // file beside it that replace() writes
  int lock_ = -1;          // descriptor that holds the lock; -1: none
  bool lock_is_ours_ = false;
  bool may_replace_;  // a file in the way is ours or was given up by --force
  std::string note_;
};

}  // namespace gihflow
