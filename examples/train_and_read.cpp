// Trains in three stages, writes the run file, reads it back and prints how the weight of each
// parent set moved.
//
//     train_and_read run.h5

#include <cstdio>
#include <exception>

#include <gihflow/gihflow.hpp>

using namespace gihflow;

int main(int count, char** words) try {
  if (count != 2) {
    std::fprintf(stderr, "usage: train_and_read FILE\n");
    return 2;
  }
  TrainSetting setting;  // the paper's experiment, here smaller
  setting.sampling.count = 500;
  setting.validation_chains = 100;
  setting.stages = parse_schedule("c:2000,w:50000,a:5000");
  setting.output = words[1];
  setting.force = true;
  train(setting);

  const RunFile run = read_run(words[1]);
  const Parameters& end = final_parameters(run.state);
  std::printf("%-12s %12s", "stage", "loss");
  for (const auto set : subsets(end.heads, end.degree)) {
    std::printf(" %8s", to_string_subset(set).c_str());
  }
  for (const StageRecord& stage : run.state.trajectory.stages) {
    const Snapshot& last = stage.snapshots.back();
    std::printf("\n%-3s%9g %12.6f", stage.stage.blocks.text().c_str(), last.t, last.loss);
    for (const double p : last.parameters.p()) std::printf(" %8.4f", p);
  }
  std::printf("\na = %.4f\n", end.a);
  return exit_code(run.state.outcome);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
