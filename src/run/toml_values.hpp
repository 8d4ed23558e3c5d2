#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

#include "gihflow/run/options.hpp"

namespace gihflow {

/// Whether a text file, given as `field`, is a regular file; false for one that can be read only
/// once: /dev/stdin, a named pipe, the shell's <(…). Throws InputError.
bool is_regular(const std::string& path, Field field);

/// The text of a config or a plan, at most 1 MiB. Throws InputError.
std::string read_text(const std::string& path, Field field);

/// Parses TOML. Throws InputError with line and column.
toml::table parse_toml(const std::string& text, const std::string& origin);

/// The value of a key; nullopt for a type that no option has.
std::optional<Value> value_of_node(const toml::node& node);

/// The option of a key, see find_option; for an unknown key adds a fault that names the nearest one
/// and returns null.
const Option* option_of_key(const std::string& key, const std::string& origin, Groups groups,
                            ErrorList& faults);

}  // namespace gihflow
