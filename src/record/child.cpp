#include "record/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <string_view>

#ifdef GIHFLOW_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace gihflow::hdf5 {

namespace {

constexpr int out_of_memory = 3;  // exit codes of the child
constexpr int other_failure = 4;

#ifdef GIHFLOW_ADDRESS_SANITIZER
constexpr bool watched = true;
// Suppresses reports of errors that HDF5 makes on a damaged file inside functions of the C library.
extern "C" const char* __asan_default_suppressions() {
  return "interceptor_via_lib:libhdf5\n";
}
// A sanitizer's allocator ends the process where another one throws.
void leave_out_of_memory() {
  const std::string_view report = __asan_get_report_description();
  if (report == "out-of-memory" || report == "allocation-size-too-big") _exit(out_of_memory);
}
void expect_sanitizer() {
  __sanitizer_set_death_callback(leave_out_of_memory);
}
#else
constexpr bool watched = false;
void expect_sanitizer() {}
#endif

// Sanitizers end a process with exit code 1, assertions of the C++ library abort it.
bool found_by_sanitizer(int status) {
  return (WIFEXITED(status) && WEXITSTATUS(status) == 1) ||
         (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

std::string reason() {
  return std::strerror(errno);
}

void limit(decltype(RLIMIT_AS) resource, rlim_t value) {
  rlimit limits{};
  getrlimit(resource, &limits);
  limits.rlim_cur = std::min(value, limits.rlim_max);
  setrlimit(resource, &limits);
}

// Address space in use, in bytes. Limits are set relative to it: sanitizers and drivers of
// accelerators reserve far more than the machine has.
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void limit_processor_time(unsigned seconds) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  limit(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 + seconds);
}

// Resets the parent's signal handlers and ignores signals of terminals and batch systems. SIGKILL
// and SIGSTOP cannot be set, which does not matter.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) static_cast<void>(std::signal(signal, SIG_DFL));
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGXFSZ})
    static_cast<void>(std::signal(signal, SIG_IGN));
}

void close_all_but(int kept) {
  const unsigned first = STDERR_FILENO + 1, socket = static_cast<unsigned>(kept);
  if (socket > first) close_range(first, socket - 1, 0);
  close_range(socket + 1, ~0u, 0);
}

enum class Direction { in, out };

// Sends or receives all of `size` bytes; false if the other side is gone (errno 0) or too slow
// (EAGAIN).
bool move_all(int socket, Direction direction, void* buffer, std::size_t size) {
  auto* next = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t moved = direction == Direction::out ? send(socket, next, size, MSG_NOSIGNAL)
                                                      : recv(socket, next, size, 0);
    if (moved < 0 && errno == EINTR) continue;
    if (moved == 0) errno = 0;
    if (moved <= 0) return false;
    next += moved;
    size -= static_cast<std::size_t>(moved);
  }
  return true;
}

bool put(int socket, const Message& message) {
  const Message framed = std::move(Message() << message.bytes());
  std::string bytes = framed.bytes();
  return move_all(socket, Direction::out, bytes.data(), bytes.size());
}

// Redirects the standard streams to /dev/null, since libraries that find their memory corrupted
// print to them; with a sanitizer standard error stays, for its report.
void silence() {
  const int nowhere = open("/dev/null", O_RDWR);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO}) dup2(nowhere, descriptor);
  if (!watched) dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

void confine(const ChildLimits& limits, int socket) {
  close_all_but(socket);
  silence();
  reset_signals();
  expect_sanitizer();
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  if (const std::size_t used = address_space(); used > 0) limit(RLIMIT_AS, used + limits.memory);
}

}  // namespace

Child::Child(std::size_t window_bytes, const Answer& answer, const ChildLimits& limits)
    : limits_(limits) {
  int sockets[2];
  void* const shared =
      mmap(nullptr, window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    const std::string why = reason();
    if (shared != MAP_FAILED) munmap(shared, window_bytes);
    throw ChildFailure("cannot be read: " + why);
  }
  window_ = {static_cast<std::byte*>(shared), window_bytes};
  process_ = fork();
  if (process_ == 0) {
    socket_ = sockets[1];
    serve(answer);
  }
  const std::string why = reason();
  socket_ = sockets[0];
  close(sockets[1]);
  const timeval wall{static_cast<time_t>(limits_.wall_seconds), 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wall, sizeof wall);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &wall, sizeof wall);
  if (process_ < 0) {
    close(socket_);
    munmap(window_.data(), window_.size());
    throw ChildFailure("cannot be read: no process for it: " + why);
  }
}

Child::~Child() {
  close(socket_);  // an idle child ends at this; a busy one is killed
  if (process_ > 0) {
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  munmap(window_.data(), window_.size());
}

void Child::send(const Message& request, unsigned processor_seconds) {
  processor_seconds_ = processor_seconds;
  if (!put(socket_, Message() << processor_seconds << request.bytes())) give_up();
}

Message Child::receive() {
  std::size_t size = 0;
  if (!move_all(socket_, Direction::in, &size, sizeof size)) give_up();
  if (size > limits_.reply) throw ChildFailure(nonsense);
  std::string bytes(size, '\0');
  if (!move_all(socket_, Direction::in, bytes.data(), size)) give_up();
  return Message(std::move(bytes));
}

void Child::give_up() {
  const bool timed_out = errno == EAGAIN;
  if (timed_out) kill(process_, SIGKILL);
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(process_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  process_ = -1;
  if (timed_out) {
    throw ChildFailure(fmt::format("gave nothing to read within {} s", limits_.wall_seconds));
  }
  if (watched && ended > 0 && found_by_sanitizer(status)) {
    throw std::logic_error("a sanitizer or an assertion ended the process that reads a file");
  }
  if (ended > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    throw ChildFailure(
        fmt::format("is damaged: reading a part of it takes more than {} s of processor time",
                    processor_seconds_));
  }
  if (ended > 0 && WIFSIGNALED(status)) {
    throw ChildFailure(fmt::format("is damaged: the process that read it ended with signal {} ({})",
                                   WTERMSIG(status), strsignal(WTERMSIG(status))));
  }
  if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == out_of_memory) {
    throw ChildFailure(
        fmt::format("takes more than {} MiB of memory to read a part of it", limits_.memory >> 20));
  }
  throw ChildFailure("is damaged: the process that read it failed");
}

void Child::serve(const Answer& answer) try {
  confine(limits_, socket_);
  for (std::size_t size = 0; move_all(socket_, Direction::in, &size, sizeof size);) {
    std::string request(size, '\0');
    if (!move_all(socket_, Direction::in, request.data(), size)) break;
    Message framed(std::move(request));
    limit_processor_time(framed.take<unsigned>());
    if (!put(socket_, answer(Message(framed.take<std::string>()), window_))) break;
  }
  _exit(0);  // the parent is gone
} catch (const std::bad_alloc&) {
  _exit(out_of_memory);
} catch (...) {
  _exit(other_failure);
}

void forbid_opening_files() {
  rlimit none{0, 0};
  setrlimit(RLIMIT_NOFILE, &none);
}

}  // namespace gihflow::hdf5
