#include "gihflow/record/isolation.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <thread>

#include "record/sample_files.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

std::atomic<int> forks{0};

}  // namespace

TEST_CASE("files are read without a fork unless isolation is asked for, to the same end") {
  static const int counted = pthread_atfork([] { ++forks; }, nullptr, nullptr);
  REQUIRE(counted == 0);
  const Directory directory;
  for (const InputKind& kind : input_kinds()) {
    const std::string path = directory / "file.h5";
    kind.write(path);
    const int before = forks;
    kind.read(path, Isolation::in_process);
    CHECK(forks == before);
    kind.read(path, Isolation::child);
    CHECK(forks == before + 1);
  }
  write_data_sample(directory / "data.h5");
  const std::vector<std::string> sentences =
      input_errors([&] { read_kernels(directory / "data.h5"); });
  REQUIRE_FALSE(sentences.empty());
  CHECK(sentences == input_errors([&] { read_kernels(directory / "data.h5", Isolation::child); }));
  CHECK(input_errors([&] { read_run(directory / "none.h5"); }) ==
        input_errors([&] { read_run(directory / "none.h5", Isolation::child); }));
}

TEST_CASE("threads read and write files at once, in process and in children") {
  const Directory directory;
  const auto work = [&](const std::string& name, Isolation isolation) {
    for (int i = 0; i < 10; ++i) {
      for (const InputKind& kind : input_kinds()) {
        kind.write(directory / name);
        kind.read(directory / name, isolation);
      }
    }
  };
  std::atomic<int> failures{0};
  const auto guarded = [&](const std::string& name, Isolation isolation) {
    try {
      work(name, isolation);
    } catch (const std::exception&) {
      ++failures;
    }
  };
  std::thread first(guarded, "first.h5", Isolation::in_process);
  std::thread second(guarded, "second.h5", Isolation::in_process);
  guarded("third.h5", Isolation::child);
  first.join();
  second.join();
  CHECK(failures == 0);
}
