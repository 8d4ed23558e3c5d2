#include "gihflow/run/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "gihflow/base/text.hpp"

namespace gihflow {

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  std::size_t begin = 0;
  for (std::size_t comma = text.find(','); comma != std::string::npos;
       comma = text.find(',', begin)) {
    parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

template <class Number>
std::optional<Value> parse_one(const std::string& text) {
  if (const auto number = parse_number<Number>(text)) return *number;
  return std::nullopt;
}

template <class Number>
std::optional<Value> parse_list(const std::vector<std::string>& words) {
  std::vector<Number> numbers;
  for (const std::string& word : words) {
    const auto number = parse_number<Number>(word);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

// The value converted to the option's kind if that is exact; config files give integers for reals
// and texts for lists.
std::optional<Value> as_kind(const Option& option, const Value& value) {
  const auto exactly = [&](auto example) -> std::optional<Value> {
    if (!std::holds_alternative<decltype(example)>(value)) return std::nullopt;
    return value;
  };
  const auto* const text = std::get_if<std::string>(&value);
  const auto* const words = std::get_if<std::vector<std::string>>(&value);
  const auto* const integers = std::get_if<std::vector<std::int64_t>>(&value);
  switch (option.kind) {
    case Kind::flag:
      return exactly(bool{});
    case Kind::integer:
      return exactly(std::int64_t{});
    case Kind::real:
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return static_cast<double>(*integer);
      }
      return exactly(double{});
    case Kind::text:
    case Kind::choice:
      return exactly(std::string());
    case Kind::integers:
      if (text != nullptr) return parse_value(option, *text);
      if (words != nullptr && words->empty()) return std::vector<std::int64_t>();
      return exactly(std::vector<std::int64_t>());
    case Kind::reals:
      if (text != nullptr) return parse_value(option, *text);
      if (words != nullptr) return parse_list<double>(*words);
      if (integers != nullptr) return std::vector<double>(integers->begin(), integers->end());
      if (const auto* one = std::get_if<double>(&value)) return std::vector<double>{*one};
      if (const auto* one = std::get_if<std::int64_t>(&value))
        return std::vector<double>{static_cast<double>(*one)};
      return exactly(std::vector<double>());
    case Kind::words:
      if (text != nullptr) return parse_value(option, *text);
      return exactly(std::vector<std::string>());
  }
  return std::nullopt;
}

// Levenshtein distance.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string toml_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

struct PlainText {
  std::string operator()(bool x) const { return x ? "true" : "false"; }
  std::string operator()(std::int64_t x) const { return fmt::format("{}", x); }
  std::string operator()(double x) const { return fmt::format("{}", x); }  // round-trips
  std::string operator()(const std::string& x) const { return x; }
  template <class T>
  std::string operator()(const std::vector<T>& x) const {
    return fmt::format("{}", fmt::join(x, ","));
  }
};

struct TomlText : PlainText {
  using PlainText::operator();
  std::string operator()(double x) const {
    const std::string digits = PlainText::operator()(x);
    return digits.find_first_of(".en") == std::string::npos ? digits + ".0" : digits;
  }
  std::string operator()(const std::string& x) const { return toml_string(x); }
  template <class T>
  std::string operator()(const std::vector<T>& x) const {
    std::vector<std::string> entries;
    for (const T& entry : x) entries.push_back((*this)(entry));
    return fmt::format("[{}]", fmt::join(entries, ", "));
  }
};

}  // namespace

const Option* find_option(std::string_view name, Groups groups) {
  const Option* other = nullptr;
  for (const Option& option : options()) {
    if (gihflow::name(option.field) != name) continue;
    if (option.belongs_to(groups)) return &option;
    other = &option;
  }
  return other;
}

const Option* find_option(Field field, Groups groups) {
  return find_option(name(field), groups);
}

std::string nearest(const std::string& name, std::span<const std::string> names) {
  std::string best;
  // Larger distances count as unlike.
  std::size_t least = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const std::string& candidate : names) {
    // The beginning of a name is near to it, whatever its length.
    const bool begins = name.size() >= 3 && candidate.starts_with(name);
    const std::size_t distance = begins ? 1 : edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<Value> parse_value(const Option& option, const std::string& text) {
  switch (option.kind) {
    case Kind::flag:
      if (text == "true" || text == "false") return text == "true";
      return std::nullopt;
    case Kind::integer:
      return parse_one<std::int64_t>(text);
    case Kind::real:
      return parse_one<double>(text);
    case Kind::text:
    case Kind::choice:
      return text;
    case Kind::integers:
      return parse_list<std::int64_t>(split(text));
    case Kind::reals:
      return parse_list<double>(split(text));
    case Kind::words:
      return split(text);
  }
  return std::nullopt;
}

std::string to_string(const Value& value) {
  return std::visit(PlainText{}, value);
}

std::string to_toml(const Value& value) {
  return std::visit(TomlText{}, value);
}

void set_option(Setting& setting, const Option& option, const Value& value,
                const std::string& origin, ErrorList& faults) {
  setting.given[option.field] = origin;
  const std::optional<Value> typed = as_kind(option, value);
  if (!typed || !option.accepts(*typed)) {
    faults.add({option.field, origin.empty() ? to_string(value) : to_toml(value),
                "must be " + option.allowed, origin});
    return;
  }
  try {
    option.set(setting, *typed);
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) faults.add(located(setting, fault));
  }
}

Fault located(const Setting& setting, Fault fault) {
  const auto found = setting.given.find(fault.field);
  if (found != setting.given.end() && fault.where.empty()) fault.where = found->second;
  return fault;
}

}  // namespace gihflow
