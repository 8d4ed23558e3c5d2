#include "record/child.hpp"

#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "gihflow/base/parallel.hpp"
#include "support/directory.hpp"

using namespace gihflow::hdf5;
using gihflow::testing::Directory;

namespace {

Message number(int value) {
  Message message;
  message << value;
  return message;
}

// The sentence with which a child fails that is asked once to do `work`.
template <class Work>
std::string failure(Work work, const ChildLimits& limits = {}, unsigned seconds = 3) try {
  Child child(
      4096, [work](Message, std::span<std::byte>) { return work(); }, limits);
  child.send(number(1), seconds);
  child.receive();
  return "";
} catch (const ChildFailure& failed) {
  return failed.what();
}

bool has_children() {
  return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("a child answers in order, shares its window and leaves nothing behind") {
  {
    Child child(4096, [](Message request, std::span<std::byte> window) {
      const int value = request.take<int>();
      std::memcpy(window.data(), &value, sizeof value);
      return number(2 * value);
    });
    child.send(number(20), 3);
    CHECK(child.receive().take<int>() == 40);
    for (const int value : {1, 2}) child.send(number(value), 3);
    CHECK(child.receive().take<int>() == 2);
    CHECK(child.receive().take<int>() == 4);
    int left = 0;
    std::memcpy(&left, child.window().data(), sizeof left);
    CHECK(left == 2);
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("a child is made beside the threads of a parallel loop") {
  const gihflow::ContextScope scope({.threads = 3});
  gihflow::parallel_blocks(100, [](gihflow::Index) {});
  CHECK(failure([] { return number(0); }).empty());
  gihflow::parallel_blocks(8, [](gihflow::Index block) {
    CHECK(failure([block] { return number(static_cast<int>(block)); }).empty());
  });
}

TEST_CASE("the death of a child is a sentence") {
  SUBCASE("crash") {
    CHECK(failure([]() -> Message { std::raise(SIGSEGV), std::abort(); }) ==
          "is damaged: the process that read it ended with signal 11 (Segmentation fault)");
  }
  SUBCASE("it calls it quits") {
    CHECK(failure([]() -> Message { _exit(0); }) == "is damaged: the process that read it failed");
  }
  SUBCASE("an exception") {
    CHECK(failure([]() -> Message { throw 1; }) == "is damaged: the process that read it failed");
  }
  SUBCASE("endless work") {
    const auto endless = []() -> Message {
      for (;;) static_cast<void>(getppid());
    };
    CHECK(failure(endless, {}, 0) ==
          "is damaged: reading a part of it takes more than 0 s of processor time");
  }
  SUBCASE("endless sleep") {
    ChildLimits limits;
    limits.wall_seconds = 1;
    CHECK(failure(
              []() -> Message {
                for (;;) pause();
              },
              limits) == "gave nothing to read within 1 s");
  }
  SUBCASE("more memory than it may have") {
    ChildLimits limits;
    limits.memory = std::size_t{1} << 26;
    CHECK(failure([]() -> Message { throw std::bad_alloc(); }, limits) ==
          "takes more than 64 MiB of memory to read a part of it");
    CHECK(failure(
              [] {
                std::vector<std::string> hoard;
                for (;;) hoard.emplace_back(std::size_t{1} << 20, 'x');
                return Message();
              },
              limits) == "takes more than 64 MiB of memory to read a part of it");
  }
  SUBCASE("an answer larger than all that is sensible") {
    ChildLimits limits;
    limits.reply = 1000;
    CHECK(failure([] { return Message(std::string(1001, 'x')); }, limits) == nonsense);
  }
  CHECK_FALSE(has_children());
}

#ifdef GIHFLOW_ADDRESS_SANITIZER
TEST_CASE("what a sanitizer finds in a child is no fault of the file") {
  volatile std::size_t past_the_end = 4;
  CHECK_THROWS_AS(failure([&] {
                    const std::vector<char> text(4);
                    return number(text.data()[past_the_end]);
                  }),
                  std::logic_error);
  // as an assertion of the C++ library ends it
  CHECK_THROWS_AS(failure([]() -> Message { std::abort(); }), std::logic_error);
  volatile int largest = std::numeric_limits<int>::max();
  CHECK_THROWS_AS(failure([&] { return number(largest + 1); }), std::logic_error);
  CHECK_FALSE(has_children());
}
#endif

TEST_CASE("a child holds no descriptor of its parent, opens and writes no file") {
  const Directory directory;
  const std::string path = directory / "file";
  const int held = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(held >= 0);
  const auto held_one = [held] { return number(fcntl(held, F_GETFD) < 0 ? errno : 0); };
  Child first(4096, [&](Message, std::span<std::byte>) { return held_one(); });
  first.send({}, 3);
  CHECK(first.receive().take<int>() == EBADF);

  const auto written = [&path] {
    const int descriptor = open(path.c_str(), O_RDWR);
    return number(write(descriptor, "x", 1) < 0 ? errno : 0);
  };
  Child second(4096, [&](Message, std::span<std::byte>) { return written(); });
  second.send({}, 3);
  CHECK(second.receive().take<int>() == EFBIG);

  const auto opened = [&path] {
    forbid_opening_files();
    return number(open(path.c_str(), O_RDONLY) < 0 ? errno : 0);
  };
  Child third(4096, [&](Message, std::span<std::byte>) { return opened(); });
  third.send({}, 3);
  CHECK(third.receive().take<int>() == EMFILE);
  close(held);
}

TEST_CASE("a message gives back what went in, and believes no size") {
  const std::vector<std::string> texts{"", "two\n", std::string("a\0b", 3)};
  Message message;
  message << 7 << 0.1 << true << std::string("text") << texts << std::optional<double>()
          << std::optional(std::vector<std::uint64_t>{1, 2, 3});
  Message copy(message.bytes());
  CHECK(copy.take<int>() == 7);
  CHECK(copy.take<double>() == 0.1);
  CHECK(copy.take<bool>());
  CHECK(copy.take<std::string>() == "text");
  CHECK(copy.take<std::vector<std::string>>() == texts);
  CHECK_FALSE(copy.take<std::optional<double>>().has_value());
  CHECK(copy.take<std::optional<std::vector<std::uint64_t>>>()->size() == 3);
  CHECK_THROWS_AS(copy.take<char>(), Malformed);

  // Cut anywhere, and with a size of 2^64 − 1 in front of nothing.
  for (std::size_t size = 0; size < message.bytes().size(); ++size) {
    Message cut(message.bytes().substr(0, size));
    CHECK_THROWS_AS((cut.take<int>(), cut.take<double>(), cut.take<bool>(), cut.take<std::string>(),
                     cut.take<std::vector<std::string>>(), cut.take<std::optional<double>>(),
                     cut.take<std::optional<std::vector<std::uint64_t>>>()),
                    Malformed);
  }
  const std::string huge(sizeof(std::size_t), '\xff');
  CHECK_THROWS_AS(Message(huge).take<std::string>(), Malformed);
  CHECK_THROWS_AS(Message(huge).take<std::vector<std::string>>(), Malformed);
  CHECK_THROWS_AS(Message(huge).take<std::vector<double>>(), Malformed);
}
