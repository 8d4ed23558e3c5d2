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
    std::size_t end = begin;  // end of the stage: a comma outside brackets
    for (char close = '\0'; end < text.size() && (close != '\0' || text[end] != ','); ++end) {
      if (text[end] == close) close = '\0';
      if (close == '\0' && text[end] == '[') close = ']';
      if (close == '\0' && text[end] == '{') close = '}';
    }
    std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    Stage stage;
    std::size_t colon = part.find(':');
    std::string wrong;
    try {
      stage.blocks = BlockSet(part.substr(0, colon));
    } catch (const InputError& error) {
      wrong = std::get<std::string>(error.faults().front().allowed.parts().front());
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
                       "'{}' {}; a stage is BLOCKS:TIME with letters of {}, each once, and "
                       "TIME > 0 in flow time, for example c:2000",
                       part, wrong, fmt::join(all_block_letters(), ", ")));
  }
  errors.throw_if_any();
  return schedule;
}

ErrorList schedule_errors(const Schedule& schedule, const Model& model) {
  ErrorList errors;
  for (const Stage& stage : schedule) {
    const auto refuse = [&](const std::string& why) {
      errors.add(
          Fault{Field::stages, fmt::format("'{}'", to_string(Schedule{stage})), Phrase(why)});
    };
    if (stage.blocks.empty() || !std::isfinite(stage.duration) || stage.duration <= 0.0)
      refuse("a stage must train a block for a positive finite flow time");
    for (const std::string& why : stage.blocks.faults(model)) refuse(why);
  }
  return errors;
}

std::string to_string(const Schedule& schedule) {
  std::string text;
  for (const Stage& stage : schedule)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", stage.blocks.text(), stage.duration);
  return text;
}

std::vector<double> output_times(double duration, Index outputs, double first) {
  if (first <= 0.0 || first > duration) first = std::min(1.0, duration / 1000.0);
  if (first == 0.0) first = duration;
  const double log_first = std::log(first);
  // A difference of logarithms, since duration/first may overflow.
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
