#include "run/toml_values.hpp"

#include <filesystem>
#include <fstream>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr std::size_t largest_config = std::size_t{1} << 20;  // bytes
constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";

// A fault of a file, which the setting `field` names, or no setting does.
Fault fault_of(Field field, const std::string& path, const char* what) {
  if (field == Field::none) return {field, "", what, path};
  return {field, path, what, ""};
}

std::optional<Value> scalar_of(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* integer = node.as_integer()) return std::int64_t{integer->get()};
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* text = node.as_string()) return text->get();
  return std::nullopt;
}

// The list in an array of texts, of integers, or of reals and integers; an empty one is a list of
// texts.
std::optional<Value> list_of(const toml::array& array) {
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> words;
  for (const toml::node& node : array) {
    if (const auto* integer = node.as_integer()) integers.push_back(integer->get());
    if (const auto real = node.value<double>(); node.is_number()) reals.push_back(*real);
    if (const auto* text = node.as_string()) words.push_back(text->get());
  }
  if (words.size() == array.size()) return words;
  if (integers.size() == array.size()) return integers;
  if (reals.size() == array.size()) return reals;
  return std::nullopt;
}

// All keys of a config.
std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const Option& option : options()) names.push_back(option.name());
  return names;
}

}  // namespace

bool is_regular(const std::string& path, Field field) {
  using enum std::filesystem::file_type;
  std::error_code error;
  switch (std::filesystem::status(path, error).type()) {
    case regular:
      return true;
    case fifo:
    case character:
      return false;
    case none:
    case not_found:
      throw InputError(fault_of(field, path, "no such file"));
    default:
      throw InputError(fault_of(field, path, "must be a regular file or a pipe"));
  }
}

std::string read_text(const std::string& path, Field field) {
  std::ifstream file(path, std::ios::binary);
  std::string text(largest_config + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) throw InputError(fault_of(field, path, "cannot be read"));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_config) {
    throw InputError(fault_of(field, path, "must be at most 1 MiB"));
  }
  if (text.starts_with(hdf5_signature)) {
    throw InputError(
        fault_of(field, path, "a run file, which must be a regular file; this is a pipe"));
  }
  return text;
}

toml::table parse_toml(const std::string& text, const std::string& origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    throw InputError(fault(fmt::format("{}: line {}, column {}", origin, error.source().begin.line,
                                       error.source().begin.column),
                           "", "not TOML: {}", error.description()));
  }
}

std::optional<Value> value_of_node(const toml::node& node) {
  if (const auto* array = node.as_array()) return list_of(*array);
  return scalar_of(node);
}

const Option* option_of_key(const std::string& key, const std::string& origin, Groups groups,
                            ErrorList& faults) {
  const Option* option = find_option(key, groups);
  if (option == nullptr) {
    const std::string near = nearest(key, option_names());
    faults.add(
        fault(origin, "", "unknown key {}{}", key,
              near.empty() ? "; keys are the names of options" : "; the nearest key is " + near));
  }
  return option;
}

}  // namespace gihflow
