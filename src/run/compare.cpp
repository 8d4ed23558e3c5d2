#include "gihflow/run/compare.hpp"

#include "gihflow/base/context.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/record/data_hash.hpp"

namespace gihflow {

namespace {

class Follower final : public Observer {
 public:
  explicit Follower(TrainObserver* observer) : observer_(observer) {}
  Outcome after_step(const TrainingState&, const Progress& progress) override {
    if (observer_ != nullptr) observer_->progress(progress);
    return interrupt_requested() ? Outcome::interrupted : Outcome::running;
  }

 private:
  TrainObserver* observer_;
};

}  // namespace

ComparisonFile compare(const Problem& problem, TrainObserver* observer) {
  const Setting& setting = problem.setting;
  const ContextScope scope({.threads = setting.threads});
  std::unique_ptr<OutputFile> file;
  if (!setting.output.empty()) {
    file = std::make_unique<OutputFile>(setting.output, setting.force);
  }
  if (observer != nullptr) {
    for (const std::string& note : problem.notes) observer->note(note);
    observer->phase(problem.data ? "counting windows" : "drawing chains");
  }
  ComparisonFile result;
  std::unique_ptr<Objective> objective;
  if (problem.infinite()) {
    const auto kernels = problem.chain_kernels();
    objective = make_infinite_objective(setting.model, *kernels, setting.device);
    result.tokens_hash = kernel_hash(*kernels);
  } else {
    const HashingSource hashing(problem.chains());
    objective = make_objective(setting.model, hashing, setting.engine, setting.device);
    result.tokens_hash = hashing.hash();
  }

  if (observer != nullptr) observer->phase("training");
  Follower follower(observer);
  result.comparison =
      compare_descent(problem.start(), setting.stages, *objective, problem.comparison(), &follower);
  result.provenance = {version(), git_commit(), problem.config(), setting.sampling.seed};
  if (file && !interrupt_requested()) write_comparison(*file, result);
  return result;
}

}  // namespace gihflow
