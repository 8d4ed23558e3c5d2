#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace gihflow {

/// The right to run one member of a sweep: while it lives, and while the process does that runs the
/// member, no other sweep over the same directory takes it. It ends with them however they end.
///
/// It is a lock on a byte of DIR/sweep.lock whose place is a hash of the member's name. Where the
/// file system has no locks every claim is granted.
class Claim {
 public:
  /// Nothing where another process has it. Throws WriteError where the file cannot be made.
  static std::optional<Claim> take(const std::string& directory, const std::string& member);
  /// Whether another process has it. Makes no file.
  static bool taken(const std::string& directory, const std::string& member);

  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  ~Claim();

  /// What a child process must inherit to share the claim.
  int descriptor() const noexcept { return descriptor_; }

 private:
  explicit Claim(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// A process of the program that runs a member. It ends, with a checkpoint, when this one dies.
class MemberProcess {
 public:
  /// Runs `program` with `words`; it says nothing but on standard error. Throws WriteError where
  /// the system has no process for it.
  MemberProcess(const std::string& program, const std::vector<std::string>& words, Claim claim);
  MemberProcess(MemberProcess&& other) noexcept;
  MemberProcess& operator=(MemberProcess&&) = delete;
  /// Stops it at once if it still runs.
  ~MemberProcess();

  /// Readable when it has said something, or has ended.
  int descriptor() const noexcept { return errors_; }
  /// Takes what it has said; false once it has ended.
  bool listen();
  /// Asks for an end after the current step.
  void stop() const noexcept;
  /// Waits for its end: the exit code, or −N after signal N.
  int wait();
  /// What it has said, at most the last 4 KiB.
  const std::string& said() const noexcept { return said_; }

 private:
  Claim claim_;
  pid_t process_ = -1;
  int errors_ = -1;
  std::string said_;
};

}  // namespace gihflow
