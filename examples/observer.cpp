// Follows a run step by step and ends it once the gradient flow has selected a parent set: p of one
// set above 0.99.
//
//     observer

#include <algorithm>
#include <cstdio>

#include <gihflow/gihflow.hpp>

using namespace gihflow;

namespace {

class UntilSelected : public RunObserver {
 public:
  void note(const Phrase& text) override { std::printf("note: %s\n", words(text).c_str()); }
  void phase(const std::string& name) override { std::printf("%s\n", name.c_str()); }
  void progress(const Progress& progress) override {
    if (progress.latest == nullptr) return;
    ++steps;
    const auto p = progress.latest->parameters.p();
    if (*std::max_element(p.begin(), p.end()) > 0.99) interrupt.request();
  }

  Interrupt interrupt;
  int steps = 0;
};

}  // namespace

int main() {
  TrainSetting setting;
  setting.sampling.count = 500;
  setting.validation_chains = 0;
  setting.stages = parse_schedule("c:2000");
  UntilSelected observer;
  const ContextScope scope(
      {.interrupt = &observer.interrupt});  // train() looks at it between steps
  const Run run = train(setting, &observer);
  const auto p = run.final().p();
  const auto winner = std::max_element(p.begin(), p.end()) - p.begin();
  const auto sets = subsets(run.final().heads, run.final().degree);
  std::printf("%s after %d steps: %s at t = %g\n", to_string(run.state.outcome).c_str(),
              observer.steps, to_string_subset(sets[static_cast<std::size_t>(winner)]).c_str(),
              run.column("t").back());
  return run.state.outcome == Outcome::interrupted ? 0 : 1;
}
