#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace gihflow {

/// The right to run one member of a sweep: while this object or the member's process lives, no
/// other sweep over the same directory can take it.
///
/// It is a lock on a byte of DIR/sweep.lock whose offset is a hash of the member's name. On a file
/// system without locks every claim is granted.
class Claim {
 public:
  /// nullopt if another process has it. Throws WriteError if the lock file cannot be made.
  static std::optional<Claim> take(const std::string& directory, const std::string& member);
  /// Whether some process has it; makes no lock file.
  static bool taken(const std::string& directory, const std::string& member);

  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  ~Claim();

  /// The descriptor that a child process must inherit to share the claim.
  int descriptor() const noexcept { return descriptor_; }

 private:
  explicit Claim(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// A process of the program that runs a member. It ends, with a checkpoint, when this process dies.
class MemberProcess {
 public:
  /// Runs `program` with the arguments `words`; only its standard error is read. Throws WriteError
  /// if the process cannot be started.
  MemberProcess(const std::string& program, const std::vector<std::string>& words, Claim claim);
  MemberProcess(MemberProcess&& other) noexcept;
  MemberProcess& operator=(MemberProcess&&) = delete;
  /// Kills it if it is still running.
  ~MemberProcess();

  /// Descriptor that is readable when it has written something or has ended.
  int descriptor() const noexcept { return errors_; }
  /// Reads what it has written; false once it has ended.
  bool listen();
  /// Requests that it end after the current step.
  void stop() const noexcept;
  /// Waits for its end; returns the exit code, or −N after signal N.
  int wait();
  /// What it has written, at most the last 4 KiB.
  const std::string& said() const noexcept { return said_; }

 private:
  Claim claim_;
  pid_t process_ = -1;
  int errors_ = -1;
  std::string said_;
};

}  // namespace gihflow
