#include "gihflow/record/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

namespace fs = std::filesystem;

constexpr mode_t everyone = 0666;  // narrowed by the user's umask

std::string reason() {
  return std::strerror(errno);
}

// Where `path` leads once symbolic links are resolved.
std::string resolved(const std::string& path) {
  std::error_code ignored;
  const fs::path target = fs::weakly_canonical(fs::path(path), ignored);
  return ignored ? path : target.string();
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

// Takes the lock on the file `path`, which is made if need be. A holder removes the file before it
// lets go, so a lock counts only if the name still leads to what was locked.
int take_lock(const std::string& path, const std::string& output) {
  for (;;) {
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, everyone);
    if (descriptor < 0) {
      throw InputError(fmt::format("output {}: cannot be written in {}: {}", output,
                                   directory_of(path), reason()));
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const std::string why = errno == EWOULDBLOCK ? "another process is writing it" : reason();
      close(descriptor);
      throw InputError(fmt::format("output {}: cannot be locked: {}", output, why));
    }
    if (same_file(descriptor, path)) return descriptor;
    close(descriptor);
  }
}

// A temporary that removes itself unless it was renamed.
class Temporary {
 public:
  explicit Temporary(std::string path)
      : path_(std::move(path)),
        descriptor_(
            open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, everyone)) {
    if (descriptor_ < 0) fail("opened");
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(path_.c_str());
  }

  // Takes over group and permissions of the file that it is going to replace, as far as user and
  // file system allow. Before anything is written, so that what was private stays so.
  void take_over_access(const std::string& target) {
    struct stat old {};
    if (stat(target.c_str(), &old) != 0) return;
    const bool group = fchown(descriptor_, static_cast<uid_t>(-1), old.st_gid) == 0;
    // What the old group was allowed is not allowed to another.
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
    if (!may_replace) {
      if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
        renamed_ = true;
        return;
      }
      // Filesystems that cannot promise it get the check without the promise.
      const bool unsupported = errno == EINVAL || errno == ENOSYS;
      if (!unsupported || access(target.c_str(), F_OK) == 0) {
        if (unsupported) errno = EEXIST;
        fail("moved into place");
      }
    }
    if (std::rename(path_.c_str(), target.c_str()) != 0) fail("moved into place");
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

// The rename itself survives a power loss once its directory is on disk.
void sync_directory(const std::string& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
  const std::string why = done ? "" : reason();
  if (descriptor >= 0) close(descriptor);
  if (!done) throw WriteError(fmt::format("{} could not be written to disk: {}", directory, why));
}

}  // namespace

std::vector<std::string> output_errors(const std::string& path, bool force,
                                       const std::string& name) {
  std::error_code error;
  if (path.empty()) return {fmt::format("{}: must be the path of a file", name)};
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return {fmt::format("{}: exists and is not a regular file; must be the path of a file", name)};
  }
  if (fs::exists(status) && !force) {
    return {fmt::format("{}: exists already; give --force to overwrite it, or another path", name)};
  }
  const std::string directory = directory_of(resolved(path));
  if (!fs::is_directory(directory, error)) {
    return {fmt::format("{}: must be in a directory that exists, and {} is none", name, directory)};
  }
  return {};
}

OutputFile::OutputFile(std::string path, bool force)
    : path_(std::move(path)), target_(resolved(path_)), may_replace_(force) {
  if (std::vector<std::string> errors = output_errors(path_, force, "output " + path_);
      !errors.empty()) {
    throw InputError(std::move(errors));
  }
  lock_ = take_lock(target_ + ".lock", path_);
  // The file may have appeared between the check and the lock.
  if (std::error_code ignored; !force && fs::exists(target_, ignored)) {
    unlink((target_ + ".lock").c_str());
    close(lock_);
    throw InputError(output_errors(path_, force, "output " + path_));
  }
}

OutputFile::~OutputFile() {
  if (lock_ < 0) return;
  unlink((target_ + ".lock").c_str());
  close(lock_);
}

void OutputFile::replace(std::span<const std::byte> contents) {
  Temporary temporary(target_ + ".partial");
  temporary.take_over_access(target_);
  temporary.write_all(contents);
  temporary.rename_to(target_, may_replace_);
  may_replace_ = true;
  sync_directory(directory_of(target_));
}

}  // namespace gihflow
