#pragma once

#include <map>
#include <string>

#include "gihflow/run/config.hpp"

namespace gihflow::testing {

/// The setting of the command whose setting is an S, from options by their names and a config.
template <class S>
Assembled assembled(const std::map<std::string, std::string>& values,
                    const std::string& config = "") {
  CommandLine line;
  line.groups = groups_of<S>;
  line.defaults = Setting(S());
  line.config = config;
  for (const auto& [name, text] : values) line.values[field_named(name)] = text;
  return assemble(line);
}

}  // namespace gihflow::testing
