// mpirun -n R build/experiments/benchmarks/benchmark_ranks N
//
// Times of a gradient of N chains that R processes of one thread share, and of a request that all
// of them answer with so many bytes: least and median of 60. docs/scaling.md has the figures.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/mpi.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/parameters.hpp"
#include "population/engines.hpp"
#include "population/shared.hpp"

using namespace gihflow;

namespace {

template <class Work>
void report(const std::string& what, const Work& work) {
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::sort(times.begin(), times.end());
  fmt::print("{}: {:.1f} us, median {:.1f}\n", what, times.front(), times[times.size() / 2]);
}

// Answers until the end: gradients, and requests for so many bytes.
void follow(Ranks& ranks, const PartedObjective* own, Index first, Index all) {
  for (;;) {
    std::string message;
    ranks.broadcast(message);
    Unpacker asked(message);
    const Request request{asked.number<char>()};
    if (request == Request::end) return;
    if (request == Request::forget) continue;
    answer(ranks, [&](Packer& packer) {
      asked.number<Index>();
      if (request == Request::build)
        packer.put(std::vector<char>(asked.number<std::size_t>()));
      else
        answer_with(own, first, all, request, asked, packer);
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  SamplingOptions options;
  options.count = argc > 1 ? std::atol(argv[1]) : Index{1} << 20;
  const ContextScope scope({.threads = 1});
  const std::unique_ptr<Ranks> job = cli::mpi_ranks();
  const int count = job ? job->count() : 1, rank = job ? job->own() : 0;
  const Model model;
  const auto source = sample_prior(options);
  const ChainRange range = chains_of_rank({options.count}, rank, count);
  std::unique_ptr<PartedObjective> own;
  if (range.count > 0)
    own = make_tiled_objective(model, SequenceSlice(*source, range.first, range.count), 8,
                               instruction_set(), chains_of_part, options.count);
  if (rank > 0) {
    follow(*job, own.get(), range.first, options.count);
    return 0;
  }
  std::unique_ptr<Objective> objective = std::move(own);
  if (job)
    objective = make_shared_objective(
        *job, 0, options.count,
        std::unique_ptr<PartedObjective>(static_cast<PartedObjective*>(objective.release())));
  const Point at = point_of(initial_parameters(model, {}));
  Gradient gradient;
  report(fmt::format("gradient of {} chains, {} processes", options.count, count),
         [&] { objective->gradient(at, gradient, false); });
  if (!job) return 0;
  for (const std::size_t bytes : {0, 1'000, 100'000, 10'000'000}) {
    Packer packer;
    packer.put(static_cast<char>(Request::build));
    packer.put(Index{0});
    packer.put(bytes);
    report(fmt::format("answers of {} bytes", bytes), [&] { ask(*job, packer.message, [] {}); });
  }
  objective.reset();
  Packer end;
  end.put(static_cast<char>(Request::end));
  job->broadcast(end.message);
}
