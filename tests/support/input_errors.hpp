#pragma once

#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"

namespace gihflow::testing {

/// Settings as the command line calls them.
inline std::string as_options(Field field) {
  return "--" + std::string(name(field));
}

/// The sentences of faults.
inline std::vector<std::string> sentences(const ErrorList& errors,
                                          const Spelling& spelling = plain_spelling) {
  std::vector<std::string> all;
  for (const Fault& fault : errors.faults()) all.push_back(sentence(fault, spelling));
  return all;
}

/// The sentences of the InputError that `action` throws; empty if it throws none.
template <class Action>
std::vector<std::string> input_errors(Action&& action, const Spelling& spelling = plain_spelling) {
  ErrorList errors;
  try {
    action();
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) errors.add(fault);
  }
  return sentences(errors, spelling);
}

/// All of them, one a line.
template <class Action>
std::string input_error(Action&& action, const Spelling& spelling = plain_spelling) {
  std::string lines;
  for (const std::string& message : input_errors(action, spelling)) {
    if (!lines.empty()) lines += '\n';
    lines += message;
  }
  return lines;
}

}  // namespace gihflow::testing
