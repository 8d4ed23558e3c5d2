#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Bad input or usage: exit code 2. Holds one sentence per error; each names the field, the value
/// and what is allowed. `what()` is all of them, one a line.
class InputError : public std::runtime_error {
 public:
  explicit InputError(std::string message);
  explicit InputError(std::vector<std::string> messages);
  const std::vector<std::string>& messages() const noexcept { return messages_; }

 private:
  std::vector<std::string> messages_;
};

/// Writing an output failed while the program ran (disk full, file vanished): exit code 4.
class WriteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Collects every error of an input before any is thrown, so that a user sees all at once.
class ErrorList {
 public:
  void add(std::string message) { messages_.push_back(std::move(message)); }
  bool empty() const noexcept { return messages_.empty(); }
  const std::vector<std::string>& messages() const noexcept { return messages_; }
  /// Throws InputError with all messages if there is any.
  void throw_if_any() const;

 private:
  std::vector<std::string> messages_;
};

}  // namespace gihflow
