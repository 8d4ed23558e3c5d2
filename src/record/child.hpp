#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include "record/message.hpp"

// Defined in builds with the address sanitizer.
#if defined(__SANITIZE_ADDRESS__)
#define GIHFLOW_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GIHFLOW_ADDRESS_SANITIZER
#endif
#endif

namespace gihflow::hdf5 {

/// Limits of a child process.
struct ChildLimits {
  std::size_t memory = std::size_t{1} << 30;  ///< bytes of address space beyond the parent's
  unsigned wall_seconds = 120;                ///< per request
  std::size_t reply = std::size_t{1} << 26;   ///< bytes
};

/// Message for a file whose reader sends a malformed reply.
inline constexpr const char* nonsense =
    "is damaged: the answer of the process that read it makes no sense";

/// A child crashed, hung, ran out of memory, or sent a malformed answer. what() is the end of a
/// sentence about the file.
class ChildFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Answers requests in order; large answers are put into a window of shared memory.
class Answerer {
 public:
  using Answer = std::function<Message(Message request, std::span<std::byte> window)>;

  virtual ~Answerer() = default;
  virtual std::span<std::byte> window() const = 0;
  /// Sends a request with a limit on its processor time. Several may be sent before their replies
  /// are received, in the same order. Throws ChildFailure.
  virtual void send(const Message& request, unsigned processor_seconds) = 0;
  virtual Message receive() = 0;
};

/// Answers in a child process, because HDF5 may crash on an untrusted file. The child is a fork of
/// this process, so it starts with a copy of its memory.
///
/// The child has one thread and must not start a parallel loop. It writes no files and no core,
/// prints nothing, closes the parent's descriptors (it would keep their locks), and ends with the
/// parent. No other thread of the parent may be inside HDF5 when the child is made: the lock of
/// HDF5 would stay held in the child.
///
/// In a build with a sanitizer the child keeps standard error, and an error that the sanitizer
/// finds is thrown as std::logic_error instead of ChildFailure: it is a fault of this program, not
/// of the file.
class Child final : public Answerer {
 public:
  /// Forks; `answer` runs only in the child. Throws ChildFailure.
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

/// Makes every later attempt of the child to open a file fail.
void forbid_opening_files();

}  // namespace gihflow::hdf5
