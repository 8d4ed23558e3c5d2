// One loss and gradient on a CUDA card, beside the card's own copy bandwidth and the CPU engine of
// the same machine. Arguments are those of Google Benchmark.

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "gihflow/base/parallel.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"

using namespace gihflow;

namespace {

/// Attention that has begun to look at its lags, and a that has begun to grow: no special point.
Point point_of_benchmark(const Model& model) {
  Point at;
  at.p.assign(static_cast<std::size_t>(model.subsets()),
              1.0 / static_cast<double>(model.subsets()));
  for (Index i = 0; i < model.heads * model.window; ++i)
    at.w.push_back(std::sin(1.0 + 2.0 * static_cast<double>(i)));
  at.a = 3.0;
  return at;
}

SamplingOptions sample(const Model& model, Index chains, Index length) {
  SamplingOptions options;
  options.prior.vocabulary = model.vocabulary;
  options.count = chains;
  options.length = length;
  return options;
}

void copy(benchmark::State& state) {
  const std::size_t bytes = std::size_t{4} << 30;
  void *from = nullptr, *to = nullptr;
  if (cudaMalloc(&from, bytes) != cudaSuccess || cudaMalloc(&to, bytes) != cudaSuccess) {
    state.SkipWithError("no memory for the copy");
    return;
  }
  cudaMemset(from, 1, bytes);
  for (auto _ : state) {
    cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToDevice);
    cudaDeviceSynchronize();
  }
  cudaFree(from);
  cudaFree(to);
  state.SetBytesProcessed(2 * static_cast<std::int64_t>(bytes) * state.iterations());
}

enum class Work { loss_and_gradient, gradient, along };

void run(benchmark::State& state, const Objective& objective, Work work) {
  const Point at = point_of_benchmark(objective.model());
  Gradient out, derivative;
  for (auto _ : state) {
    if (work == Work::along)
      objective.gradient_along(at, at, out, derivative);
    else
      objective.gradient(at, out, work == Work::loss_and_gradient);
    benchmark::DoNotOptimize(out.a);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(objective.memory()) * state.iterations());
  state.counters["bytes_a_chain"] =
      static_cast<double>(objective.memory()) / static_cast<double>(objective.chains());
  state.counters["chains"] = benchmark::Counter(
      static_cast<double>(objective.chains()) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
  state.SetLabel(objective.engine());
}

/// The objective of the last benchmark, kept for the next: a sample of 10⁷ chains is not drawn
/// twice.
const Objective& objective_of(const std::string& key,
                              const std::function<std::unique_ptr<Objective>()>& make) {
  static std::string held;
  static std::unique_ptr<Objective> objective;
  if (held != key) {
    objective.reset();
    objective = make();
    held = key;
  }
  return *objective;
}

void add(const std::string& name, const Model& model, Index chains, Index length, Engine engine,
         Device device, Work work) {
  const std::string sampled = name;
  const std::string suffix = work == Work::loss_and_gradient ? "/loss+gradient"
                             : work == Work::gradient        ? "/gradient"
                                                             : "/along";
  benchmark::RegisterBenchmark(
      (name + suffix).c_str(),
      [=](benchmark::State& state) {
        run(state,
            objective_of(sampled,
                         [&] {
                           return make_objective(
                               model, *sample_prior(sample(model, chains, length)), engine, device);
                         }),
            work);
      })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_infinite(const std::string& name, const Model& model, Index chains, Device device) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State& state) {
        run(state,
            objective_of(name,
                         [&] {
                           Prior prior;
                           prior.vocabulary = model.vocabulary;
                           return make_infinite_objective(
                               model, draw_kernels(prior, 1, Purpose::train, chains), device);
                         }),
            Work::loss_and_gradient);
      })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (!cuda_fault().empty()) {
    std::printf("Skipped: device cuda %s\n", cuda_fault().c_str());
    return 0;
  }
  std::printf("card: %s, %d CPU threads\n", cuda_card().c_str(), threads());
  const Model paper, wide{.vocabulary = 16, .window = 8, .heads = 4, .degree = 2};
  const Model reference{.boundary = Boundary::partial,
                        .head_windows = HeadWindows::shifted,
                        .head_normalization = HeadNormalization::l2,
                        .readout = Readout::softmax};
  benchmark::RegisterBenchmark("copy", copy)->UseRealTime();
  for (Index chains : {9000, 100000, 1000000, 10000000}) {
    const std::string n = "N=" + std::to_string(chains);
    for (Work work : {Work::loss_and_gradient, Work::gradient, Work::along})
      add("cuda/dense/" + n, paper, chains, 100, Engine::dense, Device::cuda, work);
    if (chains <= 1000000) {
      add("cuda/sparse/" + n, paper, chains, 100, Engine::sparse, Device::cuda,
          Work::loss_and_gradient);
      add("cpu/" + n, paper, chains, 100, Engine::automatic, Device::cpu, Work::loss_and_gradient);
    }
  }
  for (Device device : {Device::cuda, Device::cpu}) {
    const std::string where = device == Device::cuda ? "cuda" : "cpu";
    add(where + "/d=16,M=8,H=4,L=256,N=10000", wide, 10000, 256, Engine::automatic, device,
        Work::loss_and_gradient);
    add(where + "/reference,N=9000", reference, 9000, 100, Engine::automatic, device,
        Work::loss_and_gradient);
    add_infinite(where + "/infinite,N=9000", paper, 9000, device);
    add_infinite(where + "/infinite,W=5,N=9000", {.window = 5}, 9000, device);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
