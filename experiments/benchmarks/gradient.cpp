// One full-batch loss and gradient: the engines beside each other and beside the reference
// objective, and what the cost grows with; sampling and counting.

#include <benchmark/benchmark.h>

#include <memory>
#include <set>
#include <string>

#include "gihflow/base/parallel.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"

namespace {

using namespace gihflow;

struct Problem {
  Model model = {};
  Index chains = 9000, length = 100;
  Engine engine = Engine::automatic;
  bool infinite = false;
};

std::unique_ptr<SequenceSource> sequences(const Problem& problem) {
  SamplingOptions options;
  options.prior.vocabulary = problem.model.vocabulary;
  options.count = problem.chains;
  options.length = problem.length;
  if (problem.model.boundary == Boundary::partial) {
    options.initial_law = InitialLaw::uniform;
    options.labels = Labels::sampled;
  }
  return sample_prior(options);
}

std::unique_ptr<Objective> objective_of(const Problem& problem) {
  if (!problem.infinite) return make_objective(problem.model, *sequences(problem), problem.engine);
  Prior prior;
  prior.vocabulary = problem.model.vocabulary;
  return make_infinite_objective(problem.model,
                                 draw_kernels(prior, 1, Purpose::train, problem.chains));
}

/// Half-way through training: nothing is zero, one or flat.
Parameters halfway(const Model& model) {
  Parameters parameters = initial_parameters(model, {});
  parameters.a = 2.0;
  return parameters;
}

enum Work { gradient_alone, loss_and_gradient, derivative_along, standard_errors };

void run(benchmark::State& state, const std::string& name, const Problem& problem, Work work,
         int threads) {
  const ContextScope scope({.threads = threads});
  static std::string built;  // one problem at a time: large ones take gigabytes
  static std::unique_ptr<Objective> objective;
  if (built != name) {
    objective.reset();
    objective = objective_of(problem);
    built = name;
  }
  const Parameters parameters = halfway(problem.model);
  const Point at = point_of(parameters);
  Gradient gradient, derivative;
  for (auto _ : state) {
    if (work == standard_errors)
      gradient.a = objective->standard_errors(parameters).loss;
    else if (work == derivative_along)
      objective->gradient_along(at, at, gradient, derivative);
    else
      objective->gradient(at, gradient, work == loss_and_gradient);
    benchmark::DoNotOptimize(gradient.a);
  }
  state.SetLabel(objective->engine());
  state.counters["chains_per_second"] = benchmark::Counter(
      static_cast<double>(problem.chains), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_chain"] =
      static_cast<double>(objective->memory()) / static_cast<double>(problem.chains);
}

void add(const std::string& name, const Problem& problem, Work work, int threads) {
  benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { run(state, name, problem, work, threads); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

/// Drawing sequences, counting their windows and laying the counts out in tiles.
void add_building(const Problem& problem) {
  const std::string name =
      "building/N=" + std::to_string(problem.chains) + "/L=" + std::to_string(problem.length);
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State& state) {
        for (auto _ : state)
          benchmark::DoNotOptimize(make_objective(problem.model, *sequences(problem)));
      })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  const int cores = threads();
  const std::set<int> teams{1, 2, cores};
  add("reference/N=100", {.chains = 100, .engine = Engine::reference}, loss_and_gradient, cores);
  for (const int n : teams) {
    const std::string end = "/N=9000/threads=" + std::to_string(n);
    add("dense/loss_and_gradient" + end, {.engine = Engine::dense}, loss_and_gradient, n);
    add("dense/gradient" + end, {.engine = Engine::dense}, gradient_alone, n);
    add("dense/derivative_along" + end, {.engine = Engine::dense}, derivative_along, n);
    add("sparse/loss_and_gradient" + end, {.engine = Engine::sparse}, loss_and_gradient, n);
  }
  for (const Index chains : {1000, 10'000, 100'000, 1'000'000})
    add("chains/N=" + std::to_string(chains), {.chains = chains}, loss_and_gradient, cores);
  for (const Index chains : {1000, 9000}) {
    const std::string end = "/N=" + std::to_string(chains) + "/threads=1";
    add("one_thread" + end, {.chains = chains}, loss_and_gradient, 1);
    add("standard_errors" + end, {.chains = chains}, standard_errors, 1);
  }
  for (const Index length : {100, 1000, 10'000, 100'000, 1'000'000})
    add("length/N=200/L=" + std::to_string(length), {.chains = 200, .length = length},
        loss_and_gradient, cores);
  auto vary = [&](const std::string& what, Index value, const Model& model) {
    add(what + "/" + what + "=" + std::to_string(value), {.model = model}, loss_and_gradient,
        cores);
  };
  for (const Index d : {2, 3, 4, 6, 8, 16}) vary("vocabulary", d, {.vocabulary = d});
  for (const Index M : {3, 4, 5, 6, 8}) vary("window", M, {.window = M});
  for (const Index H : {2, 3, 4, 6, 8}) vary("heads", H, {.window = 8, .heads = H});
  for (const Index D : {1, 2, 3, 4}) vary("degree", D, {.window = 4, .heads = 4, .degree = D});
  const Model reference{.boundary = Boundary::partial,
                        .head_windows = HeadWindows::shifted,
                        .head_normalization = HeadNormalization::l2,
                        .readout = Readout::softmax};
  Model full = reference;
  full.scores = Scores::tokens;
  full.own_position = true;
  full.values = HeadValues::matrix;
  full.head_normalization = HeadNormalization::layer;
  full.rectify = true;
  full.rectify_width = 0.1;
  for (const int n : teams) {
    const std::string end = "/N=9000/threads=" + std::to_string(n);
    add("reference_conventions" + end, {.model = reference}, loss_and_gradient, n);
    add("full_model" + end, {.model = full}, loss_and_gradient, n);
  }
  for (const Index M : {3, 5})
    for (const int n : teams)
      add("infinite/M=" + std::to_string(M) + "/threads=" + std::to_string(n),
          {.model = {.window = M}, .infinite = true}, loss_and_gradient, n);
  add("infinite/d=16/M=3/N=100/threads=1",
      {.model = {.vocabulary = 16}, .chains = 100, .infinite = true}, loss_and_gradient, 1);
  add("large/d=16/M=8/H=4/L=256/N=10000",
      {.model = {.vocabulary = 16, .window = 8, .heads = 4}, .chains = 10'000, .length = 256},
      loss_and_gradient, cores);
  add_building({.chains = 10'000});
  add_building({.chains = 10'000, .length = 100'000});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
