#include "gihflow/flow/trajectory.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/make_fault.hpp"
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

bool Snapshot::operator==(const Snapshot& other) const {
  auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return same(t, other.t) && parameters == other.parameters && same(loss, other.loss) &&
         same(validation_loss, other.validation_loss) && same(gradient_norm, other.gradient_norm) &&
         same(dissipated, other.dissipated) && same(energy_residual, other.energy_residual);
}

std::string to_string(Outcome outcome) {
  for (const auto& [value, name] : names)
    if (value == outcome) return name;
  return "running";
}

Outcome parse_outcome(const std::string& text) {
  for (const auto& [value, name] : names)
    if (text == name) return value;
  throw InputError(
      fault("outcome", "'" + text + "'", "not one of the outcomes that gihflow writes"));
}

}  // namespace gihflow
