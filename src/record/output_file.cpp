#include "gihflow/record/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/make_fault.hpp"
#include "base/unused_name.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

namespace fs = std::filesystem;

constexpr mode_t everyone = 0666;  // restricted by the umask

std::string reason() {
  return std::strerror(errno);
}

constexpr int most_links = 40;  // Linux's limit on symbolic links in a path

// `path` with symbolic links resolved, also if the file does not exist yet.
std::string resolved(const std::string& path) {
  std::error_code error;
  fs::path target = path;
  for (int link = 0; link < most_links && fs::is_symlink(target, error); ++link) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // just `next` if it is absolute
  }
  const fs::path canonical = fs::weakly_canonical(target, error);
  return error ? target.string() : canonical.string();
}

std::string directory_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

bool same_file(int descriptor, const std::string& path) {
  struct stat open_one {
  }, named{};
  return fstat(descriptor, &open_one) == 0 && stat(path.c_str(), &named) == 0 &&
         open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

// A lock file of this program contains these words, the name of the temporary file beside it and an
// end of line; after that it may hold the rest of a longer name, see write_mark.
constexpr std::string_view mark = "gihflow writes ";

// An unused name for a temporary; existing files are not ours.
std::string free_temporary(const std::string& target) {
  return first_name(target + ".partial", is_unused);
}

// The temporary named in a lock file; empty for a file that this program did not make.
std::string temporary_of(int descriptor, const std::string& target) {
  std::string text(4096, '\0');
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t end = text.find('\n');
  if (!text.starts_with(mark) || end == std::string::npos) return "";
  const fs::path name = text.substr(mark.size(), end - mark.size());
  const bool beside = !name.has_parent_path() &&
                      name.string().starts_with(fs::path(target).filename().string() + ".partial");
  return beside ? directory_of(target) + "/" + name.string() : "";
}

// Writes the mark; on a full disk the lock works without it. A mark that is there is written over
// and only then cut, so that a kill at any moment leaves one.
void write_mark(int descriptor, const std::string& temporary) {
  const std::string text = fmt::format("{}{}\n", mark, fs::path(temporary).filename().string());
  if (pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()))
    static_cast<void>(ftruncate(descriptor, static_cast<off_t>(text.size())) != 0);
}

// Makes a lock file; if the file system can, it gets its name only after its mark was written.
// Returns -1 with errno EEXIST if the file exists.
int make_lock(const std::string& path, const std::string& temporary) {
  const int unnamed = open(directory_of(path).c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, everyone);
  if (unnamed >= 0) {
    write_mark(unnamed, temporary);
    const std::string link = fmt::format("/proc/self/fd/{}", unnamed);
    if (linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0)
      return unnamed;
    const int why = errno;
    close(unnamed);
    errno = why;
    if (why == EEXIST) return -1;
  }
  const int descriptor =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, everyone);
  if (descriptor >= 0) write_mark(descriptor, temporary);
  return descriptor;
}

constexpr int not_supported = 524;  // ENOTSUPP, returned by some network file systems

bool has_no_locks(int error) {
  return error == ENOSYS || error == EOPNOTSUPP || error == ENOLCK || error == not_supported;
}

// A temporary file that is removed unless it was renamed.
class Temporary {
 public:
  explicit Temporary(std::string path)
      : path_(std::move(path)),
        descriptor_(
            open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, everyone)) {
    if (descriptor_ < 0) fail("opened");
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.c_str());
  }

  // Copies group and permissions of the file to be replaced, if user and file system allow it;
  // before anything is written, so that private data are never readable by others.
  void take_over_access(const std::string& target) {
    struct stat old {};
    if (stat(target.c_str(), &old) != 0) return;
    const bool group = fchown(descriptor_, static_cast<uid_t>(-1), old.st_gid) == 0;
    // Permissions of the old group are not given to another one.
    const mode_t mode = old.st_mode & (group ? 07777 : 07707);
    [[maybe_unused]] const int done = fchmod(descriptor_, mode);
  }

  void write_all(std::span<const std::byte> contents) {
    while (!contents.empty()) {
      const ssize_t written = write(descriptor_, contents.data(), contents.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("written");
      contents = contents.subspan(static_cast<std::size_t>(written));
    }
    if (fsync(descriptor_) != 0) fail("written to disk");
    const int closed = close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("closed");
  }

  void rename_to(const std::string& target, bool may_replace) {
    const bool moved = may_replace ? std::rename(path_.c_str(), target.c_str()) == 0
                                   : rename_to_unused(path_, target);
    if (!moved) fail("moved into place");
    renamed_ = true;
  }

 private:
  [[noreturn]] void fail(const char* step) const {
    throw WriteError(fmt::format("{} could not be {}: {}", path_, step, reason()));
  }

  std::string path_;
  int descriptor_;
  bool renamed_ = false;
};

// The rename survives a power loss only after its directory is on disk.
void sync_directory(const std::string& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
  const std::string why = done ? "" : reason();
  if (descriptor >= 0) close(descriptor);
  if (!done) throw WriteError(fmt::format("{} could not be written to disk: {}", directory, why));
}

}  // namespace

std::optional<Fault> output_fault(Field field, const std::string& path, bool force) {
  std::error_code error;
  if (path.empty()) return fault(field, path, "must be the path of a file");
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return fault(field, path, "exists and is not a regular file; must be the path of a file");
  }
  if (fs::exists(status) && !force) {
    return fault(field, path, "exists already; give {} to overwrite it, or another path",
                 Field::force);
  }
  const std::string directory = directory_of(resolved(path));
  if (!fs::is_directory(directory, error)) {
    return fault(field, path, "must be in a directory that exists, and {} is none", directory);
  }
  return std::nullopt;
}

OutputFile::OutputFile(std::string path, bool force)
    : path_(std::move(path)), target_(resolved(path_)), may_replace_(force) {
  if (const auto fault = output_fault(Field::output, path_, force)) throw InputError(*fault);
  temporary_ = free_temporary(target_);
  take_lock();
  // The file may have appeared between the check and the lock.
  if (std::error_code ignored; !force && fs::exists(target_, ignored)) {
    release();
    throw InputError(output_fault(Field::output, path_, force).value());
  }
}

OutputFile::~OutputFile() {
  release();
}

// A holder removes the lock file before it unlocks it, so a lock is valid only if the path still
// refers to the locked file.
void OutputFile::take_lock() {
  const std::string path = target_ + ".lock";
  for (;;) {
    lock_ = make_lock(path, temporary_);
    bool made = lock_ >= 0;
    if (!made && errno == EEXIST) lock_ = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock_ < 0 && errno == ENOENT && fs::is_directory(directory_of(path))) continue;
    if (lock_ < 0) {
      throw InputError(
          fault(Field::output, path_, "cannot be written in {}: {}", directory_of(path), reason()));
    }
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      lock_is_ours_ = made && has_no_locks(why);
      release();
      if (has_no_locks(why)) {
        note_ = fmt::format(
            "output {}: its file system has no locks ({}), so that nothing keeps another process "
            "from writing the same file",
            path_, std::strerror(why));
        return;
      }
      throw InputError(
          fault(Field::output, path_, "cannot be locked: {}",
                why == EWOULDBLOCK ? "another process is writing it" : std::strerror(why)));
    }
    if (same_file(lock_, path)) {
      const std::string left = made ? "" : temporary_of(lock_, target_);
      lock_is_ours_ = made || !left.empty();
      if (!left.empty()) {  // left by a process that was killed
        unlink(left.c_str());
        temporary_ = free_temporary(target_);
        write_mark(lock_, temporary_);
      }
      return;
    }
    close(lock_);
  }
}

void OutputFile::release() {
  if (lock_ < 0) return;
  if (lock_is_ours_) unlink((target_ + ".lock").c_str());
  close(lock_);
  lock_ = -1;
}

void OutputFile::replace(std::span<const std::byte> contents) {
  Temporary temporary(temporary_);
  temporary.take_over_access(target_);
  temporary.write_all(contents);
  temporary.rename_to(target_, may_replace_);
  may_replace_ = true;
  sync_directory(directory_of(target_));
}

void remove_what_a_kill_left(const std::string& path) {
  if (!fs::exists(fs::symlink_status(resolved(path) + ".lock"))) return;
  try {
    const OutputFile taken_over(path, true);
  } catch (const InputError&) {  // it is being written
  }
}

}  // namespace gihflow
