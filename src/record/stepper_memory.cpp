#include "record/stepper_memory.hpp"

namespace gihflow {

namespace {

std::vector<double> joined(double first, const std::vector<double>& rest) {
  std::vector<double> all{first};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace

StepperMemory memory_of(const StepperState& stepper) {
  if (!stepper.active) return {};
  if (const auto* s = std::get_if<DescentState>(&stepper.method))
    return {{}, joined(s->predicted_normalizer, s->moments), {s->step}};
  const auto& s = std::get<FlowState>(stepper.method);
  return {s.slope,
          joined(s.previous_error, s.jacobian),
          {s.stiff, s.after_rejection, s.after_non_finite, s.worst, s.votes, s.against}};
}

bool set_memory(StepperState& stepper, const StepperMemory& stored) {
  const auto& n = stored.counters;
  if (!stepper.active) return stored.memory.empty() && n.empty();
  if (stored.memory.empty()) return false;
  const double first = stored.memory.front();
  std::vector<double> rest(stored.memory.begin() + 1, stored.memory.end());
  if (n.size() == 1) {
    stepper.method = DescentState{n[0], first, std::move(rest)};
  } else if (n.size() == 6) {
    stepper.method = FlowState{
        stored.slope, first, std::move(rest), n[0] != 0, n[1] != 0, n[2] != 0, n[3], n[4], n[5]};
  } else {
    return false;
  }
  return true;
}

}  // namespace gihflow
