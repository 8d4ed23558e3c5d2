#include "gihflow/run/verify.hpp"

#include <algorithm>

#include "gihflow/record/verification_file.hpp"
#include "gihflow/theory/measurement.hpp"
#include "run/following.hpp"
#include "run/theory_input.hpp"

namespace gihflow {

namespace {

// Predictions for the problem's training, and measurements in its flow.
std::vector<Departure> departures(Problem& problem, RunObserver& observer) {
  const TheoryInput theory = theory_input(problem);
  TrainingState state = begin_training(theory.input.start);
  Following following(observer);
  train_flow(state, problem.setting.stages, *theory.input.trained, nullptr, problem.setting.flow,
             &following);
  std::vector<Departure> result;
  for (const Prediction& p : predictions(theory.input)) {
    result.push_back({p, measure(p.quantity, p.subject, state.trajectory)});
  }
  return result;
}

}  // namespace

bool has_own_setting(const Setting& setting) {
  const Setting defaults{VerifySetting()};
  return std::any_of(options().begin(), options().end(), [&](const Option& option) {
    return option.belongs_to(groups_of<VerifySetting>) && option.role == Role::problem &&
           (setting.given.contains(option.field) || option.get(setting) != option.get(defaults));
  });
}

Verification verify(const Problem& given, RunObserver* observer) {
  Problem problem = given;
  const Setting& setting = problem.setting;
  const Call call(problem, observer);
  if (has_own_setting(setting)) require_predictions(setting.model);
  const auto file = call.output(setting.output, setting.force);
  VerifyOptions options;
  options.seed = setting.sampling.seed;
  options.progress = [&](const std::string& name) { call.observer.phase(name); };
  Verification result = verify(options);
  if (has_own_setting(setting) && !interrupt_requested()) {
    call.observer.phase("the given setting");
    result.departures = departures(problem, call.observer);
  }
  if (file && !interrupt_requested()) write_verification(*file, result, problem.provenance());
  return result;
}

Verification verify(const VerifySetting& setting, RunObserver* observer) {
  return verify(prepare(setting), observer);
}

}  // namespace gihflow
