#pragma once

#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"

namespace gihflow::testing {

/// The sentences of the InputError that `action` throws; empty if it throws none.
template <class Action>
std::vector<std::string> input_errors(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.messages();
  }
  return {};
}

/// All of them, one a line.
template <class Action>
std::string input_error(Action&& action) {
  std::string lines;
  for (const std::string& message : input_errors(action)) {
    if (!lines.empty()) lines += '\n';
    lines += message;
  }
  return lines;
}

}  // namespace gihflow::testing
