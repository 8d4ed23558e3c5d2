#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include "record/message.hpp"

// Defined where an address sanitizer watches this build.
#if defined(__SANITIZE_ADDRESS__)
#define GIHFLOW_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GIHFLOW_ADDRESS_SANITIZER
#endif
#endif

namespace gihflow::hdf5 {

/// What a child may take.
struct ChildLimits {
  std::size_t memory = std::size_t{1} << 30;  ///< bytes of address space beyond what the parent has
  unsigned wall_seconds = 120;                ///< for each request
  std::size_t reply = std::size_t{1} << 26;   ///< bytes
};

/// The fault of a file whose reader sends a malformed reply.
inline constexpr const char* nonsense = "is damaged: nothing sensible comes out of it";

/// No answer: a child crashed, hung, ran out of memory, or answered nonsense. what() is the end of
/// a sentence on what it was reading.
class ChildFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Answers requests in order; large answers are left in a window of memory.
class Answerer {
 public:
  using Answer = std::function<Message(Message request, std::span<std::byte> window)>;

  virtual ~Answerer() = default;
  virtual std::span<std::byte> window() const = 0;
  /// Sends a request, which may take so many seconds of processor time; several may be under way,
  /// and their replies are received in the same order. Throws ChildFailure.
  virtual void send(const Message& request, unsigned processor_seconds) = 0;
  virtual Message receive() = 0;
};

/// Answers in a child process, because HDF5 may crash on an untrusted file. The child is a fork of
/// this process, so it begins with a copy of all that is here.
///
/// The child has one thread, whatever the parent has, and must start no parallel loop. It writes no
/// files and no core, prints nothing, holds no descriptor of the parent's (a lock among them would
/// outlive it), and ends with the parent. No other thread of the parent may be inside HDF5 when the
/// child is made: the lock of HDF5 would stay held in the child.
///
/// Where a sanitizer watches, the child keeps standard error, and what the sanitizer finds in it is
/// thrown as std::logic_error instead of ChildFailure: a fault of this program, not of the file.
class Child final : public Answerer {
 public:
  /// Forks; `answer` runs in the child alone. Throws ChildFailure.
  Child(std::size_t window_bytes, const Answer& answer, const ChildLimits& limits = {});
  ~Child() override;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::span<std::byte> window() const override { return window_; }
  void send(const Message& request, unsigned processor_seconds) override;
  Message receive() override;

 private:
  [[noreturn]] void serve(const Answer& answer);
  [[noreturn]] void give_up();

  ChildLimits limits_;
  unsigned processor_seconds_ = 0;  // of the latest request
  std::span<std::byte> window_;
  int socket_ = -1;
  pid_t process_ = -1;
};

/// For the child, once it has opened what it needs: from now on every attempt to open a file fails.
void forbid_opening_files();

}  // namespace gihflow::hdf5
