#include "gihflow/base/errors.hpp"

#include <algorithm>

namespace gihflow {

namespace {

std::string lines(const std::vector<Fault>& faults) {
  std::string all;
  for (const Fault& fault : faults) {
    if (!all.empty()) all += '\n';
    all += sentence(fault, plain_spelling);
  }
  return all;
}

}  // namespace

InputError::InputError(Fault fault) : InputError(std::vector<Fault>{std::move(fault)}) {}

InputError::InputError(std::vector<Fault> faults)
    : std::runtime_error(lines(faults)), faults_(std::move(faults)) {}

void ErrorList::add(Field unusable, Fault fault) {
  unusable_.insert(unusable);
  faults_.push_back(std::move(fault));
}

void ErrorList::add(const ErrorList& others) {
  faults_.insert(faults_.end(), others.faults_.begin(), others.faults_.end());
  unusable_.insert(others.unusable_.begin(), others.unusable_.end());
}

bool ErrorList::about(std::initializer_list<Field> fields) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](Field field) { return unusable_.contains(field); });
}

void ErrorList::throw_if_any() const {
  if (!faults_.empty()) throw InputError(faults_);
}

}  // namespace gihflow
