#include "gihflow/run/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return number;
}

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

// The value as the option's kind, where that loses nothing; from config files come integers for
// reals and texts for lists.
std::optional<Value> as_kind(const Option& option, const Value& value) {
  const auto exactly = [&](auto example) -> std::optional<Value> {
    if (!std::holds_alternative<decltype(example)>(value)) return std::nullopt;
    return value;
  };
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
      if (const auto* words = std::get_if<std::vector<std::string>>(&value);
          words && words->empty())
        return std::vector<std::int64_t>();
      if (const auto* text = std::get_if<std::string>(&value)) return parse_value(option, *text);
      return exactly(std::vector<std::int64_t>());
    case Kind::words:
      if (const auto* text = std::get_if<std::string>(&value)) return parse_value(option, *text);
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

}  // namespace

std::string to_string(Command command) {
  switch (command) {
    case Command::sample:
      return "sample";
    case Command::train:
      return "train";
    case Command::evaluate:
      return "evaluate";
    case Command::show:
      return "show";
    case Command::rank:
      return "rank";
    case Command::check:
      return "check";
    case Command::predict:
      return "predict";
    case Command::verify:
      return "verify";
    case Command::compare:
      return "compare";
    case Command::diff:
      return "diff";
    case Command::audit:
      return "audit";
  }
  return "";
}

Setting default_setting(Command command) {
  switch (command) {
    case Command::sample:
      return Setting(SampleSetting());
    case Command::rank:
      return Setting(RankSetting());
    case Command::compare:
      return Setting(CompareSetting());
    default:
      return {};
  }
}

std::string default_output(Command command) {
  switch (command) {
    case Command::sample:
      return "data.h5";
    case Command::train:
      return "run.h5";
    case Command::verify:
      return "verify.h5";
    case Command::compare:
      return "compare.h5";
    case Command::evaluate:
    case Command::show:
    case Command::rank:
    case Command::check:
    case Command::predict:
    case Command::diff:
    case Command::audit:
      break;
  }
  return "";
}

const Option* find_option(const std::string& name) {
  const auto table = options();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Option& o) { return o.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string nearest(const std::string& name, std::span<const std::string> names) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 2) + 1;  // farther is no likeness
  for (const std::string& candidate : names) {
    // A word that was left unfinished is near whatever its length.
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
      if (const auto number = parse_number<std::int64_t>(text)) return *number;
      return std::nullopt;
    case Kind::real:
      if (const auto number = parse_number<double>(text)) return *number;
      return std::nullopt;
    case Kind::text:
    case Kind::choice:
      return text;
    case Kind::integers: {
      std::vector<std::int64_t> numbers;
      for (const std::string& part : split(text)) {
        const auto number = parse_number<std::int64_t>(part);
        if (!number) return std::nullopt;
        numbers.push_back(*number);
      }
      return numbers;
    }
    case Kind::words:
      return split(text);
  }
  return std::nullopt;
}

std::string to_string(const Value& value) {
  struct Print {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(std::int64_t x) const { return fmt::format("{}", x); }
    std::string operator()(double x) const { return fmt::format("{}", x); }
    std::string operator()(const std::string& x) const { return x; }
    std::string operator()(const std::vector<std::int64_t>& x) const {
      return fmt::format("{}", fmt::join(x, ","));
    }
    std::string operator()(const std::vector<std::string>& x) const {
      return fmt::format("{}", fmt::join(x, ","));
    }
  };
  return std::visit(Print{}, value);
}

void set_option(Setting& setting, const Option& option, const Value& value,
                const std::string& origin, ErrorList& faults) {
  setting.given[option.name] = origin;
  const std::optional<Value> typed = as_kind(option, value);
  if (!typed || !option.accepts(*typed)) {
    faults.add({option.field(), to_string(value), "must be " + option.allowed, origin});
    return;
  }
  try {
    option.set(setting, *typed);
  } catch (const InputError& error) {
    for (const Fault& fault : error.faults()) faults.add(located(setting, fault));
  }
}

Fault located(const Setting& setting, Fault fault) {
  const auto found = setting.given.find(std::string(name(fault.field)));
  if (found != setting.given.end() && fault.where.empty()) fault.where = found->second;
  return fault;
}

}  // namespace gihflow
