#include "run/member_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <utility>

#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_hash.hpp"

namespace gihflow {

namespace {

constexpr int inherited_claim = STDERR_FILENO + 1;
constexpr std::size_t most_said = 4096;  // bytes

std::string lock_path(const std::string& directory) {
  return directory + "/sweep.lock";
}

struct flock place_of(const std::string& member) {
  struct flock place {};
  place.l_type = F_WRLCK;
  place.l_whence = SEEK_SET;
  place.l_start = static_cast<off_t>(fnv1a(std::as_bytes(std::span(member))) >> 2);
  place.l_len = 1;
  return place;
}

bool is_held(int error) {
  return error == EAGAIN || error == EACCES;
}

// Runs between fork and exec, so it may only call functions that are safe after the fork of a
// process with threads.
[[noreturn]] void become(const char* program, char* const* words, int claim, int errors,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(130);
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  // dup2 of a descriptor onto itself keeps its close-on-exec flag.
  if (errors == STDERR_FILENO) fcntl(errors, F_SETFD, 0);
  dup2(errors, STDERR_FILENO);
  if (claim == inherited_claim) fcntl(claim, F_SETFD, 0);
  dup2(claim, inherited_claim);
  execv(program, words);
  const char* const why = std::strerror(errno);
  static_cast<void>(!write(STDERR_FILENO, why, std::strlen(why)));
  _exit(127);
}

}  // namespace

std::optional<Claim> Claim::take(const std::string& directory, const std::string& member) {
  const std::string path = lock_path(directory);
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw WriteError(fmt::format("{}: cannot be made: {}", path, std::strerror(errno)));
  }
  Claim claim(descriptor);
  struct flock place = place_of(member);
  if (fcntl(descriptor, F_OFD_SETLK, &place) != 0 && is_held(errno)) return std::nullopt;
  return claim;
}

bool Claim::taken(const std::string& directory, const std::string& member) {
  const int descriptor = open(lock_path(directory).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const Claim owner(descriptor);
  struct flock place = place_of(member);
  return fcntl(descriptor, F_OFD_GETLK, &place) == 0 && place.l_type != F_UNLCK;
}

Claim::Claim(Claim&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Claim& Claim::operator=(Claim&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Claim::~Claim() {
  if (descriptor_ >= 0) close(descriptor_);
}

MemberProcess::MemberProcess(const std::string& program, const std::vector<std::string>& words,
                             Claim claim)
    : claim_(std::move(claim)) {
  std::vector<std::string> texts{"gihflow"};
  texts.insert(texts.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw WriteError(fmt::format("no pipe for a member: {}", std::strerror(errno)));
  }
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) {
    become(program.c_str(), pointers.data(), claim_.descriptor(), ends[1], parent);
  }
  const int error = errno;
  close(ends[1]);
  errors_ = ends[0];
  if (process_ < 0) {
    close(errors_);
    throw WriteError(fmt::format("no process for a member: {}", std::strerror(error)));
  }
}

MemberProcess::MemberProcess(MemberProcess&& other) noexcept
    : claim_(std::move(other.claim_)),
      process_(std::exchange(other.process_, -1)),
      errors_(std::exchange(other.errors_, -1)),
      said_(std::move(other.said_)) {}

MemberProcess::~MemberProcess() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    wait();
  }
  if (errors_ >= 0) close(errors_);
}

bool MemberProcess::listen() {
  char buffer[most_said];
  const ssize_t count = read(errors_, buffer, sizeof buffer);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  said_.append(buffer, static_cast<std::size_t>(count));
  if (said_.size() > most_said) said_.erase(0, said_.size() - most_said);
  return count > 0;
}

// sigqueue, so that the member can tell it from the signal of a terminal or a batch system, which
// may reach it too and must not count as a second request.
void MemberProcess::stop() const noexcept {
  sigqueue(process_, SIGTERM, {});
}

int MemberProcess::wait() {
  int status = 0;
  while (waitpid(process_, &status, 0) < 0) {
    if (errno != EINTR) {  // it was waited for elsewhere
      process_ = -1;
      return -SIGCHLD;
    }
  }
  process_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace gihflow
