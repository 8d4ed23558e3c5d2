#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

std::string lines(const std::vector<std::string>& messages) {
  std::string all;
  for (const std::string& message : messages) {
    if (!all.empty()) all += '\n';
    all += message;
  }
  return all;
}

}  // namespace

InputError::InputError(std::string message)
    : InputError(std::vector<std::string>{std::move(message)}) {}

InputError::InputError(std::vector<std::string> messages)
    : std::runtime_error(lines(messages)), messages_(std::move(messages)) {}

void ErrorList::throw_if_any() const {
  if (!messages_.empty()) throw InputError(messages_);
}

}  // namespace gihflow
