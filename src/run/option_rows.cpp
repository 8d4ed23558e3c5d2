#include "run/option_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gihflow/model/blocks.hpp"

namespace gihflow {

namespace {

Range real(std::string allowed, bool (*accepts)(double)) {
  return {Kind::real, std::move(allowed), [accepts](const Value& value) {
            const double x = std::get<double>(value);
            return std::isfinite(x) && accepts(x);
          }};
}

template <class T>
bool all_of(const Value& value, bool (*accepts)(double)) {
  const auto& list = std::get<std::vector<T>>(value);
  return !list.empty() && std::all_of(list.begin(), list.end(),
                                      [&](T x) { return accepts(static_cast<double>(x)); });
}

}  // namespace

Range integers(std::int64_t least, std::int64_t most) {
  const bool bounded = most != std::numeric_limits<std::int64_t>::max();
  return {Kind::integer,
          bounded ? fmt::format("an integer from {} to {}", least, most)
                  : fmt::format("an integer of at least {} and below 2^63", least),
          [least, most](const Value& value) {
            const std::int64_t x = std::get<std::int64_t>(value);
            return x >= least && x <= most;
          }};
}

Range any_real() {
  return real("a finite number", [](double) { return true; });
}

Range entry_of_a_matrix() {
  return real(fmt::format("a number between -{0} and {0}", largest_entry),
              [](double x) { return std::abs(x) <= largest_entry; });
}

Range not_zero() {
  return real("a finite number other than 0", [](double x) { return x != 0.0; });
}

Range not_negative() {
  return real("a finite number of at least 0", [](double x) { return x >= 0.0; });
}

Range above_zero() {
  return real("a finite number above 0", [](double x) { return x > 0.0; });
}

// Below the least normal number, ε would be lost beside the smallest y(e) that is told from 0.
Range smoothing() {
  return real("0, or a finite number of at least 1e-300",
              [](double x) { return x == 0.0 || x >= 1e-300; });
}

Range flag() {
  return {Kind::flag, "true or false"};
}

Range path(std::vector<std::string> suffixes) {
  return {Kind::text,
          "the path of a file, in UTF-8",
          [](const Value& value) {
            const auto& text = std::get<std::string>(value);
            return !text.empty() && is_plain_utf8(text);
          },
          {},
          std::move(suffixes)};
}

Range list(Kind kind, const char* allowed, bool (*accepts)(double)) {
  return {kind, allowed, [kind, accepts](const Value& value) {
            return kind == Kind::integers ? all_of<std::int64_t>(value, accepts)
                                          : all_of<double>(value, accepts);
          }};
}

Range one_of(std::vector<std::string> words) {
  std::string allowed = words.back();
  if (words.size() > 1) {
    allowed = fmt::format("{} or {}", fmt::join(words.begin(), words.end() - 1, ", "), allowed);
  }
  return {Kind::choice, std::move(allowed),
          [words](const Value& value) {
            return std::find(words.begin(), words.end(), std::get<std::string>(value)) !=
                   words.end();
          },
          words};
}

Value value_of(const Schedule& schedule) {
  std::vector<std::string> words;
  for (const Stage& stage : schedule) words.push_back(to_string(Schedule{stage}));
  return words;
}

void assign(Schedule& schedule, const Value& value) {
  const auto& words = std::get<std::vector<std::string>>(value);
  schedule = parse_schedule(fmt::format("{}", fmt::join(words, ",")));
}

}  // namespace gihflow
