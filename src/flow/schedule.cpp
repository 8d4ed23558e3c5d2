#include "gihflow/flow/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/text.hpp"

namespace gihflow {

Schedule parse_schedule(const std::string& text) {
  Schedule schedule;
  ErrorList errors;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    std::size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    Stage stage;
    std::size_t colon = part.find(':');
    std::string blocks = part.substr(0, colon);
    std::string wrong;
    if (blocks.empty()) wrong = "names no block";
    for (char letter : blocks) {
      bool* block = letter == 'c'   ? &stage.c
                    : letter == 'w' ? &stage.w
                    : letter == 'a' ? &stage.a
                                    : nullptr;
      if (!block) {
        wrong = fmt::format("has the unknown block '{}'", letter);
        break;
      }
      if (*block) wrong = fmt::format("names block '{}' twice", letter);
      *block = true;
    }
    if (wrong.empty()) {
      if (colon == std::string::npos || colon + 1 == part.size()) {
        wrong = "has no TIME";
      } else {
        const std::string time = part.substr(colon + 1);
        const std::optional<double> duration = parse_number<double>(time);
        stage.duration = duration.value_or(0.0);
        if (!duration)
          wrong = fmt::format("has the TIME '{}', which is not a number", time);
        else if (!std::isfinite(*duration) || *duration <= 0.0)
          wrong = fmt::format("has the TIME {}, which is not a positive finite number", *duration);
      }
    }
    if (wrong.empty())
      schedule.push_back(stage);
    else
      errors.add(fault(Field::stages, "",
                       "'{}' {}; a stage is BLOCKS:TIME with letters of c, w, a, each once, and "
                       "TIME > 0 in flow time, for example c:2000",
                       part, wrong));
  }
  errors.throw_if_any();
  return schedule;
}

std::string blocks_of(const Stage& stage) {
  return std::string(stage.c ? "c" : "") + (stage.w ? "w" : "") + (stage.a ? "a" : "");
}

std::string to_string(const Schedule& schedule) {
  std::string text;
  for (const Stage& stage : schedule)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", blocks_of(stage), stage.duration);
  return text;
}

std::vector<double> output_times(double duration, Index outputs, double first) {
  if (first <= 0.0 || first > duration) first = std::min(1.0, duration / 1000.0);
  if (first == 0.0) first = duration;
  const double log_first = std::log(first);
  // Logarithms before the quotient: duration/first may be more than the largest double.
  const double ratio = std::log(duration) - log_first;
  std::vector<double> times{0.0};
  const Index between = outputs - 2;
  for (Index k = 0; k < between; ++k) {
    const double step = ratio * static_cast<double>(k) / static_cast<double>(between);
    const double t = k == 0 ? first : std::exp(log_first + step);
    if (t > times.back() && t < duration) times.push_back(t);
  }
  times.push_back(duration);
  return times;
}

}  // namespace gihflow
