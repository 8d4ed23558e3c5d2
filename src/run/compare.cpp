#include "gihflow/run/compare.hpp"

#include "gihflow/run/objectives.hpp"
#include "run/following.hpp"

namespace gihflow {

ComparisonFile compare(const Problem& given, RunObserver* observer) {
  Problem problem = given;
  const Setting& setting = problem.setting;
  const Call call(problem, observer);
  const auto file = call.output(setting.output, setting.force);
  call.observer.phase(problem.data ? "counting windows" : "drawing chains");
  const Objectives objectives = make_objectives(problem);
  if (!objectives.device_note.empty()) call.observer.note(objectives.device_note);
  call.observer.phase("training");
  Following following(call.observer);
  ComparisonFile result;
  result.tokens_hash = objectives.tokens_hash;
  result.comparison = compare_descent(problem.start(), setting.stages, *objectives.training,
                                      problem.comparison(), &following);
  result.provenance = problem.provenance();
  if (file && !interrupt_requested()) write_comparison(*file, result);
  return result;
}

ComparisonFile compare(const CompareSetting& setting, RunObserver* observer) {
  return compare(prepare(setting), observer);
}

}  // namespace gihflow
