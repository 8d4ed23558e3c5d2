#include "gihflow/base/fault.hpp"

#include <algorithm>
#include <cstddef>

namespace gihflow {

namespace {

#define GIHFLOW_TEXT_OF(...) #__VA_ARGS__
#define GIHFLOW_TEXT(fields) GIHFLOW_TEXT_OF(fields)

// Names in the order of Field: the enumerators with dashes.
std::vector<std::string> make_names() {
  std::vector<std::string> names{"", ""};
  for (const char c : std::string_view(GIHFLOW_TEXT(GIHFLOW_FIELDS))) {
    if (c == ',') names.emplace_back();
    if (c != ',' && c != ' ') names.back() += c == '_' ? '-' : c;
  }
  return names;
}
const std::vector<std::string>& names() {
  static const std::vector<std::string> all = make_names();
  return all;
}

}  // namespace

std::string_view name(Field field) {
  return names()[static_cast<std::size_t>(field)];
}

Field field_named(std::string_view name) {
  const auto found = std::find(names().begin(), names().end(), name);
  return found == names().end() ? Field::none : static_cast<Field>(found - names().begin());
}

Fault within(const std::string& whole, Fault fault) {
  // A fault with a value alone is written "FILE: 9", not "FILE 9".
  const bool value_alone =
      fault.field == Field::none && fault.where.empty() && !fault.value.empty();
  if (!fault.where.empty()) fault.where.insert(0, ": ");
  fault.where.insert(0, whole);
  if (value_alone) fault.where += ':';
  return fault;
}

std::string plain_spelling(Field field) {
  return std::string(name(field));
}

std::string words(const Phrase& phrase, const Spelling& spelling) {
  std::string text;
  for (const Phrase::Part& part : phrase.parts()) {
    if (const Field* field = std::get_if<Field>(&part))
      text += spelling(*field);
    else
      text += std::get<std::string>(part);
  }
  return text;
}

std::string sentence(const Fault& fault, const Spelling& spelling) {
  const bool is_setting = fault.field != Field::none;
  const Spelling& called = is_setting && !fault.where.empty() ? plain_spelling : spelling;
  std::string text = fault.where;
  const auto add = [&](const char* between, const std::string& more) {
    if (!text.empty() && !more.empty()) text += between;
    text += more;
  };
  if (is_setting) add(": ", called(fault.field));
  add(" ", fault.value);
  add(": ", words(fault.allowed, called));
  return text;
}

}  // namespace gihflow
