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

/// An output that only this process may write. It is always replaced as a whole, so a reader sees a
/// complete file at any time, also after a kill.
///
/// Exclusion is by flock on `path`.lock, which ends with the process. The lock file is marked as
/// the program's and names the temporary file, so that after a kill the next process can remove
/// both. Other files are neither written nor removed: if `path`.partial exists the temporary gets
/// another name.
class OutputFile {
 public:
  /// Takes the lock. Throws InputError with output_fault, or if another process holds the lock. On
  /// a file system without locks it works without one and sets note().
  OutputFile(std::string path, bool force);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// The path as it was given.
  const std::string& path() const noexcept { return path_; }
  /// A sentence for the user if the file could not be locked; else empty.
  const std::string& note() const noexcept { return note_; }

  /// Replaces the file: writes a temporary in the same directory, fsync, rename, fsync of the
  /// directory. Throws WriteError; then the old file is unchanged and the temporary removed.
  /// Without `force` the first call also throws if the file has appeared since the constructor.
  void replace(std::span<const std::byte> contents);

 private:
  void take_lock();
  void release();

  std::string path_;       // as the caller named it
  std::string target_;     // the same, symbolic links resolved
  std::string temporary_;  // file beside it that replace() writes
  int lock_ = -1;          // descriptor that holds the lock; -1: none
  bool lock_is_ours_ = false;
  bool may_replace_;  // an existing file is ours, or `force` was given
  std::string note_;
};

/// Removes the lock file and the temporary of a process that was killed while it wrote `path`.
/// While a process writes it, and where there are none or they are not this program's, does
/// nothing.
void remove_what_a_kill_left(const std::string& path);

}  // namespace gihflow
