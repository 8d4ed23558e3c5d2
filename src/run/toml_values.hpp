#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

#include "gihflow/run/options.hpp"

namespace gihflow {

/// Whether a text file, given as `field`, is a regular file; false for what can be read once only,
/// from its beginning to its end: /dev/stdin, a named pipe, the shell's <(…). Throws InputError.
bool is_regular(const std::string& path, Field field);

/// The text of a config or a plan, at most 1 MiB. Throws InputError.
std::string read_text(const std::string& path, Field field);

/// Throws InputError with line and column.
toml::table parse_toml(const std::string& text, const std::string& origin);

/// The value of a key; nothing where no option can have it.
std::optional<Value> value_of_node(const toml::node& node);

/// The option that a key stands for, see find_option; null and a fault that names the nearest key
/// where there is none.
const Option* option_of_key(const std::string& key, const std::string& origin, Groups groups,
                            ErrorList& faults);

}  // namespace gihflow
