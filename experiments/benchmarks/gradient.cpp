// One full-batch loss and gradient: the engines beside each other and beside the reference objective.

#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <tuple>

#include "gihflow/base/parallel.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/population/objective.hpp"

namespace {

using namespace gihflow;

/// The paper's setting with `chains` sequences of length `length`; built once, kept.
const Objective& problem(Engine engine, Index chains, Index length) {
  static std::map<std::tuple<Engine, Index, Index>, std::unique_ptr<Objective>> built;
  auto& objective = built[{engine, chains, length}];
  if (!objective) {
    SamplingOptions options;
    options.count = chains;
    options.length = length;
    objective = make_objective(Model{}, *sample_prior(options), engine);
  }
  return *objective;
}

/// Half-way through training: nothing is zero, one or flat.
Point point() {
  Parameters parameters = initial_parameters(Model{}, {});
  parameters.a = 2.0;
  return point_of(parameters);
}

enum Work { gradient_alone, loss_and_gradient, derivative_along };

void run(benchmark::State& state, Engine engine, Work work, Index chains, Index length,
         int threads) {
  const Objective& objective = problem(engine, chains, length);
  set_threads(threads);
  const Point at = point();
  Gradient gradient, derivative;
  for (auto _ : state) {
    if (work == derivative_along)
      objective.gradient_along(at, at, gradient, derivative);
    else
      objective.gradient(at, gradient, work == loss_and_gradient);
    benchmark::DoNotOptimize(gradient.a);
  }
  state.counters["chains_per_second"] = benchmark::Counter(
      static_cast<double>(chains), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes_per_chain"] =
      static_cast<double>(objective.memory()) / static_cast<double>(chains);
}

void add(const std::string& name, Engine engine, Work work, Index chains, Index length,
         int threads) {
  benchmark::RegisterBenchmark(name.c_str(), run, engine, work, chains, length, threads)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  const int cores = threads();
  add("reference/loss_and_gradient/N=100", Engine::reference, loss_and_gradient, 100, 100, cores);
  for (int n : {1, cores}) {
    const std::string end = "/N=9000/threads=" + std::to_string(n);
    add("dense/loss_and_gradient" + end, Engine::dense, loss_and_gradient, 9000, 100, n);
    add("dense/gradient" + end, Engine::dense, gradient_alone, 9000, 100, n);
    add("dense/derivative_along" + end, Engine::dense, derivative_along, 9000, 100, n);
    add("sparse/loss_and_gradient" + end, Engine::sparse, loss_and_gradient, 9000, 100, n);
  }
  for (Index chains : {1000, 10000, 100000, 1000000})
    add("dense/loss_and_gradient/N=" + std::to_string(chains), Engine::dense, loss_and_gradient,
        chains, 100, cores);
  for (Index length : {100, 10000, 1000000})
    add("dense/loss_and_gradient/N=200/L=" + std::to_string(length), Engine::dense,
        loss_and_gradient, 200, length, cores);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
