#include "gihflow/flow/trajectory.hpp"

#include <array>
#include <utility>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr std::array<std::pair<Outcome, const char*>, 7> names{{
    {Outcome::running, "running"},
    {Outcome::reached, "reached"},
    {Outcome::step_limit, "step_limit"},
    {Outcome::wall_time, "wall_time"},
    {Outcome::interrupted, "interrupted"},
    {Outcome::step_underflow, "step_underflow"},
    {Outcome::non_finite, "non_finite"},
}};

}  // namespace

std::string to_string(Outcome outcome) {
  for (const auto& [value, name] : names)
    if (value == outcome) return name;
  return "running";
}

Outcome parse_outcome(const std::string& text) {
  for (const auto& [value, name] : names)
    if (text == name) return value;
  throw InputError("outcome '" + text + "': not one of the outcomes that gihflow writes");
}

}  // namespace gihflow
