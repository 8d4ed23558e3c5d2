#include "gihflow/record/output_file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "gihflow/base/errors.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span<const char>(text));
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

// Files may not grow past `bytes` while it lives, as on a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("an output is replaced as a whole and leaves nothing else behind") {
  const Directory directory;
  const std::string path = directory / "out";
  {
    OutputFile file(path, false);
    file.replace(bytes_of("first"));
    CHECK(contents(path) == "first");
    file.replace(bytes_of("second"));
    CHECK(contents(path) == "second");
  }
  CHECK(directory.files() == 1);
}

TEST_CASE("an existing file is overwritten only by force") {
  const Directory directory;
  const std::string path = directory / "out";
  put(path, "precious");
  CHECK(input_error([&] { OutputFile(path, false); }) ==
        "output " + path + ": exists already; give force to overwrite it, or another path");
  CHECK(contents(path) == "precious");
  CHECK(directory.files() == 1);
  OutputFile(path, true).replace(bytes_of("new"));
  CHECK(contents(path) == "new");
}

TEST_CASE("a file that is replaced keeps its permissions and its group") {
  const Directory directory;
  const std::string path = directory / "out";
  put(path, "old");
  const bool other_group = chown(path.c_str(), static_cast<uid_t>(-1), getgid() + 1) == 0;
  struct stat before {
  }, after{};
  for (const mode_t mode : {0600, 0640, 0666}) {
    REQUIRE(chmod(path.c_str(), mode) == 0);
    REQUIRE(stat(path.c_str(), &before) == 0);
    OutputFile(path, true).replace(bytes_of("new"));
    REQUIRE(stat(path.c_str(), &after) == 0);
    CHECK((after.st_mode & 07777) == mode);
    CHECK(after.st_gid == before.st_gid);
  }
  CHECK((after.st_gid == getgid() + 1) == other_group);  // another one only for root
}

TEST_CASE("a file that appears after the start is not overwritten without force") {
  const Directory directory;
  const std::string path = directory / "out";
  OutputFile file(path, false);
  put(path, "precious");
  CHECK_THROWS_AS(file.replace(bytes_of("new")), WriteError);
  CHECK(contents(path) == "precious");
}

TEST_CASE("what cannot become an output is refused, and the reason told") {
  const Directory directory;
  const auto refusal = [](const std::string& path, bool force) {
    const auto fault = output_fault(Field::kernels_output, path, force);
    return fault ? sentence(*fault, plain_spelling) : "";
  };
  const std::string missing = directory / "missing/out", folder = directory / ".";
  CHECK(
      refusal(missing, false)
          .starts_with("kernels-output " + missing + ": must be in a directory that exists, and "));
  CHECK(refusal(folder, true) == "kernels-output " + folder +
                                     ": exists and is not a regular file; must be the path of a "
                                     "file");
  CHECK_FALSE(refusal("/dev/null", true).empty());
  CHECK(refusal("", false) == "kernels-output: must be the path of a file");
  CHECK(refusal(directory / "out", false).empty());
  CHECK(directory.files() == 0);
}

TEST_CASE("two writers of one file exclude each other, whatever a kill left behind") {
  const Directory directory;
  const std::string path = directory / "out";
  put(path + ".lock", "gihflow writes out.partial\n");  // of a process that was killed
  put(path + ".partial", "ha");                         // so is this
  {
    OutputFile first(path, false);
    CHECK(input_error([&] { OutputFile(path, false); }) ==
          "output " + path + ": cannot be locked: another process is writing it");
    first.replace(bytes_of("first"));
    CHECK(first.note().empty());
  }
  CHECK(directory.files() == 1);
  OutputFile(path, true).replace(bytes_of("second"));
  CHECK(contents(path) == "second");
}

TEST_CASE("files beside an output that others made are left as they are") {
  const Directory directory;
  const std::string path = directory / "out";
  // The last two look like lock files of the program but name a file that is not its temporary.
  for (const std::string lock : {"", "mine", "gihflow writes out.partial", "gihflow writes ../x\n",
                                 "gihflow writes other\n"}) {
    CAPTURE(lock);
    put(path + ".lock", lock);
    put(path + ".partial", "precious");
    put(path + ".partial2", "too");
    put(directory / "other", "as well");
    OutputFile file(path, true);
    CHECK(input_error([&] { OutputFile(path, true); }).ends_with("another process is writing it"));
    for (const char* text : {"first", "second"}) {
      file.replace(bytes_of(text));
      CHECK(contents(path) == text);
    }
    CHECK(contents(path + ".lock") == lock);
    CHECK(contents(path + ".partial") == "precious");
    CHECK(contents(path + ".partial2") == "too");
    CHECK(contents(directory / "other") == "as well");
    CHECK(directory.files() == 5);
  }
}

TEST_CASE("the lock file names a temporary that had to take another name") {
  const Directory directory;
  const std::string path = directory / "out";
  put(path + ".partial", "precious");
  OutputFile file(path, false);
  CHECK(contents(path + ".lock") == "gihflow writes out.partial2\n");
  file.replace(bytes_of("new"));
  CHECK(contents(path) == "new");
  CHECK(contents(path + ".partial") == "precious");
}

TEST_CASE("a failed write leaves the old file and no temporary") {
  const Directory directory;
  const std::string path = directory / "out";
  OutputFile file(path, false);
  file.replace(bytes_of("old"));
  const std::string large(100000, 'x');
  {
    const FileSizeLimit full(1000);
    CHECK_THROWS_AS(file.replace(bytes_of(large)), WriteError);
  }
  CHECK(contents(path) == "old");
  CHECK(directory.files() == 2);  // the output and its lock
  file.replace(bytes_of(large));
  CHECK(contents(path) == large);
}

TEST_CASE("a symbolic link as output keeps leading to the file") {
  const Directory directory;
  put(directory / "target", "old");
  std::filesystem::create_symlink(directory / "target", directory / "link");
  OutputFile(directory / "link", true).replace(bytes_of("new"));
  CHECK(std::filesystem::is_symlink(directory / "link"));
  CHECK(contents(directory / "target") == "new");
}

TEST_CASE("a symbolic link as output leads to a file that is not there yet") {
  const Directory directory;
  std::filesystem::create_directory(directory / "scratch");
  for (const std::string& target : {directory / "absolute", std::string("relative"),
                                    std::string("scratch/other"), std::string("link")}) {
    CAPTURE(target);
    const std::string link =
        directory / ("to_" + std::filesystem::path(target).filename().string());
    std::filesystem::create_symlink(target, link);
    const std::string end = target == "link" ? directory / "end" : target;
    if (target == "link") std::filesystem::create_symlink("end", directory / "link");
    CHECK_FALSE(output_fault(Field::output, link, false));
    OutputFile(link, false).replace(bytes_of("new"));
    CHECK(std::filesystem::is_symlink(link));
    CHECK(contents(link) == "new");
    CHECK(std::filesystem::is_regular_file(
        std::filesystem::symlink_status(std::filesystem::path(directory / ".") / end)));
    OutputFile(link, true).replace(bytes_of("newer"));
    CHECK(contents(link) == "newer");
  }
  std::filesystem::create_symlink("nowhere/file", directory / "astray");
  const auto astray = output_fault(Field::output, directory / "astray", true);
  REQUIRE(astray);
  CHECK(sentence({.allowed = astray->allowed}, plain_spelling)
            .starts_with("must be in a directory that exists, and "));
}
