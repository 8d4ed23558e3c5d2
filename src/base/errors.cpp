#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

std::vector<std::string> sentences(const std::vector<Fault>& faults) {
  std::vector<std::string> all;
  for (const Fault& fault : faults) all.push_back(sentence(fault, plain_spelling()));
  return all;
}

std::string lines(const std::vector<Fault>& faults) {
  std::string all;
  for (const std::string& line : sentences(faults)) {
    if (!all.empty()) all += '\n';
    all += line;
  }
  return all;
}

std::vector<Fault> faults_of(std::vector<std::string> messages) {
  std::vector<Fault> faults;
  for (std::string& message : messages) faults.push_back({.allowed = Phrase(std::move(message))});
  return faults;
}

}  // namespace

InputError::InputError(Fault fault) : InputError(std::vector<Fault>{std::move(fault)}) {}

InputError::InputError(std::vector<Fault> faults)
    : std::runtime_error(lines(faults)), faults_(std::move(faults)) {}

InputError::InputError(std::string message)
    : InputError(std::vector<std::string>{std::move(message)}) {}

InputError::InputError(std::vector<std::string> messages)
    : InputError(faults_of(std::move(messages))) {}

std::vector<std::string> InputError::messages() const {
  return sentences(faults_);
}

std::vector<std::string> ErrorList::messages() const {
  return sentences(faults_);
}

void ErrorList::throw_if_any() const {
  if (!faults_.empty()) throw InputError(faults_);
}

}  // namespace gihflow
