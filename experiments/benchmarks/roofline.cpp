// What the machine allows for one loss and gradient of the dense engine and in infinite context,
// and the fraction of it that is reached. The throughputs that bind are measured in the same run as
// the gradient, in turn with it; README.md has the arithmetic.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/parallel.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"
#include "population/parts.hpp"
#include "population/tiled_statistics.hpp"
#include "population/window_laws.hpp"
#include "throughput.hpp"

namespace gihflow {

namespace baseline {
extern const hot::Throughput throughput;
}
#ifdef GIHFLOW_ISA_X86
namespace avx2 {
extern const hot::Throughput throughput;
}
namespace avx512 {
extern const hot::Throughput throughput;
}
#endif

namespace {

using Clock = std::chrono::steady_clock;

const hot::Throughput& throughput_of_machine() {
#ifdef GIHFLOW_ISA_X86
  if (instruction_set() == "avx512") return avx512::throughput;
  if (instruction_set() == "avx2") return avx2::throughput;
#endif
  return baseline::throughput;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The same in processor time of the calling thread, which others on its core take less from.
double processor_seconds_of(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

/// Seconds from the moment when all threads are there until the last one is done. They wait awake.
double seconds_together(int threads, const std::function<void(int)>& work) {
  std::atomic<int> there{0};
  std::atomic<bool> go{false};
  std::vector<Clock::time_point> ends(static_cast<std::size_t>(threads));
  Clock::time_point start;
  {
    std::vector<std::jthread> team;
    for (int i = 0; i < threads; ++i)
      team.emplace_back([&, i] {
        ++there;
        while (!go) continue;
        work(i);
        ends[static_cast<std::size_t>(i)] = Clock::now();
      });
    while (there < threads) std::this_thread::yield();
    start = Clock::now();
    go = true;
  }
  return std::chrono::duration<double>(*std::max_element(ends.begin(), ends.end()) - start).count();
}

/// What is measured for one number of threads: seconds per unit of work of all threads together,
/// the best of all turns.
class Machine {
 public:
  Machine(int threads, double read_bytes)
      : lines_(std::max<std::int64_t>(
            static_cast<std::int64_t>(read_bytes) / (64 * threads) / 8 * 8, 8)),
        numbers_(static_cast<std::size_t>(threads),
                 std::vector<double>(static_cast<std::size_t>(8 * lines_), 1.0)) {}

  double multiply_add = 1e9, count = 1e9, logarithm = 1e9, divide = 1e9, byte = 1e9;

  void measure() {
    const hot::Throughput& loops = throughput_of_machine();
    const auto threads = static_cast<int>(numbers_.size());
    auto best = [&](double& least, const std::function<double(int)>& work) {
      std::vector<double> units(numbers_.size());
      const double seconds =
          seconds_together(threads, [&](int i) { units[static_cast<std::size_t>(i)] = work(i); });
      least = std::min(least, seconds / (threads * units[0]));
    };
    best(multiply_add, [&](int) { return loops.multiply_add(100'000); });
    best(count, [&](int) { return loops.count(2'000); });
    best(logarithm, [&](int) { return loops.logarithm(300); });
    best(divide, [&](int) { return loops.divide(500); });
    // As many bytes as a gradient reads, several times where they are few.
    const std::int64_t turns = std::max<std::int64_t>(1, 200'000 / lines_);
    best(byte, [&](int i) {
      for (std::int64_t turn = 0; turn < turns; ++turn)
        loops.read(numbers_[static_cast<std::size_t>(i)].data(), lines_);
      return 64.0 * static_cast<double>(lines_ * turns);
    });
  }

 private:
  std::int64_t lines_;
  std::vector<std::vector<double>> numbers_;  ///< [threads] of [lines, 8]
};

/// Operations of one loss and gradient, and the bytes that it reads; README.md derives them.
struct Operations {
  double lanes = 0.0, tiles = 0.0, entries = 0.0, pairs = 0.0, bytes = 0.0;
  double vocabulary, pair_flops;

  explicit Operations(const Model& m)
      : vocabulary(static_cast<double>(m.vocabulary)),
        pair_flops(static_cast<double>(8 * m.heads * m.window + 8 * m.subsets())) {}

  /// Those of one part. Of an entry its pair and eight counts are read, of a tile and token where
  /// the entries begin and eight targets.
  void add(const TiledStatistics& s) {
    lanes += static_cast<double>(s.distinct());
    tiles += static_cast<double>(s.tiles());
    entries += static_cast<double>(s.entries());
    pairs += static_cast<double>(s.pairs());
    bytes += static_cast<double>(s.entries() * (4 + 8 * s.count_bytes())) +
             72.0 * static_cast<double>(s.tiles()) * vocabulary;
  }

  double entry_packs() const { return 2.0 * entries; }  // forward and backward
  double logarithm_packs() const { return tiles * vocabulary; }
  double divide_packs() const { return tiles * (vocabulary + 2.0); }
  double other_flops() const { return 80.0 * tiles * vocabulary + pair_flops * pairs; }
  double flops() const { return 16.0 * entry_packs() + other_flops(); }

  /// The least seconds of arithmetic, by kind, and those of reading.
  struct Bound {
    double count, logarithm, divide, other, memory;
    double seconds() const { return std::max(count + logarithm + divide + other, memory); }
  };
  Bound on(const Machine& machine) const {
    return {entry_packs() * machine.count, logarithm_packs() * machine.logarithm,
            divide_packs() * machine.divide, other_flops() * machine.multiply_add,
            bytes * machine.byte};
  }
};

/// Of chains in parts of so many.
Operations operations(const Model& model, const SequenceSource& source, Index part) {
  const Parts parts{source.count(), part};
  Operations all(model);
  for (Index i = 0; i < parts.count(); ++i)
    all.add(TiledStatistics(
        model, count_windows(model, SequenceSlice(source, parts.first(i), parts.chains_of(i))), 8));
  return all;
}

void table(const std::vector<Index>& chains, double seconds) {
  const Model model;
  Parameters parameters = initial_parameters(model, {});
  parameters.a = 2.0;
  const Point at = point_of(parameters);
  fmt::print("instruction set {}\n", instruction_set());
  for (const Index count : chains) {
    SamplingOptions options;
    options.count = count;
    const auto source = sample_prior(options);
    const auto objective = make_objective(model, *source, Engine::dense);
    const Operations work = operations(model, *source, chains_of_part),
                     whole = operations(model, *source, count);
    fmt::print("\nN = {}: {} lanes, {} tiles, {} entries, {} pairs, {:.2f} MB read\n", count,
               work.lanes, work.tiles, work.entries, work.pairs, work.bytes / 1e6);
    fmt::print(
        "{:>7} {:>10} {:>10} | {:>8} {:>8} {:>6} | {:>6} {:>6} {:>6} {:>6} {:>6} | {:>6} {:>6} "
        "{:>6}\n",
        "threads", "best us", "median us", "GFLOP/s", "peak", "of it", "count", "log", "divide",
        "other", "read", "bound", "of it", "helped");
    double alone = 0.0, machine_alone = 0.0;
    for (const int threads : {1, 2}) {
      const ContextScope scope({.threads = threads});
      Machine machine(threads, work.bytes);
      Gradient gradient;
      std::vector<double> times;
      const std::uint64_t helped = helped_loops();
      const auto end = Clock::now() + std::chrono::duration<double>(seconds);
      while (Clock::now() < end) {
        machine.measure();
        const auto turn = Clock::now() + std::chrono::milliseconds(20);
        do times.push_back(seconds_of([&] { objective->gradient(at, gradient, true); }));
        while (Clock::now() < turn);
      }
      std::sort(times.begin(), times.end());
      const double best = times.front();
      const Operations::Bound least = work.on(machine);
      const double bound = least.seconds();
      fmt::print(
          "{:>7} {:>10.1f} {:>10.1f} | {:>8.2f} {:>8.2f} {:>5.0f}% | {:>6.1f} {:>6.1f} {:>6.1f} "
          "{:>6.1f} {:>6.1f} | {:>6.1f} {:>5.0f}% {:>5.0f}%\n",
          threads, 1e6 * best, 1e6 * times[times.size() / 2], 1e-9 * work.flops() / best,
          1e-9 / machine.multiply_add, 100.0 * work.flops() * machine.multiply_add / best,
          1e6 * least.count, 1e6 * least.logarithm, 1e6 * least.divide, 1e6 * least.other,
          1e6 * least.memory, 1e6 * bound, 100.0 * bound / best,
          100.0 * static_cast<double>(helped_loops() - helped) / static_cast<double>(times.size()));
      if (count > chains_of_part)
        fmt::print("as one part: {} tiles, {} entries, bound {:.1f} us, {:.0f}% of it\n",
                   whole.tiles, whole.entries, 1e6 * whole.on(machine).seconds(),
                   100.0 * whole.on(machine).seconds() / best);
      if (threads == 1) {
        alone = best;
        machine_alone = bound;
      } else {
        fmt::print(
            "gain by two threads: {:.2f}; of the binding limit: {:.2f}; ours against it {:.0f}%\n",
            alone / best, machine_alone / bound, 100.0 * alone / best / (machine_alone / bound));
      }
    }
  }
}

/// Multiplications and additions of the products in infinite context, of all chains: by window and
/// query for the states' sums, by token and state for the tokens' sums, forward and backward.
double infinite_flops(const WindowLaws& laws) {
  return 4.0 * static_cast<double>(laws.chains * laws.windows) *
         static_cast<double>(laws.windows + laws.vocabulary * laws.states);
}

/// Multiplications and additions alone, the best of as many turns as one gradient takes; and the
/// median over turns of the share that a gradient reaches of what was measured beside it.
void infinite_table(double seconds) {
  fmt::print(
      "\ninfinite context, one thread, processor time: products against separate multiplications and "
      "additions\n{:>3} {:>3} {:>6} {:>8} {:>7} | {:>7} {:>8} | {:>10} {:>8} {:>6} {:>7}\n",
      "d", "M", "N", "windows", "states", "Gflop", "peak", "", "best ms", "of it", "median");
  struct Size {
    Index vocabulary, window, chains;
  };
  for (const auto& [vocabulary, window, chains] : {Size{3, 3, 9000}, {3, 5, 9000}, {16, 3, 100}}) {
    const ContextScope scope({.threads = 1});
    const Model model{.vocabulary = vocabulary, .window = window};
    Prior prior;
    prior.vocabulary = vocabulary;
    const Kernels kernels = draw_kernels(prior, 1, Purpose::train, chains);
    const double flops = infinite_flops(window_laws(model, kernels));
    const auto objective = make_infinite_objective(model, kernels);
    Parameters parameters = initial_parameters(model, {});
    parameters.a = 2.0;
    const Point at = point_of(parameters);
    Gradient gradient;
    double peak = 0.0, best[2] = {1e9, 1e9};
    std::vector<double> shares[2];
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      for (const bool with_loss : {false, true}) {
        const double took =
            processor_seconds_of([&] { objective->gradient(at, gradient, with_loss); });
        best[with_loss] = std::min(best[with_loss], took);
        double beside = 0.0, done = 0.0;
        while (beside < took) {
          double some = 0.0;
          const double part =
              processor_seconds_of([&] { some = throughput_of_machine().multiply_add(100'000); });
          peak = std::max(peak, some / part);
          beside += part;
          done += some;
        }
        shares[with_loss].push_back(flops / took / (done / beside));
      }
    } while (Clock::now() < end);
    for (const bool with_loss : {true, false}) {
      std::vector<double>& all = shares[with_loss];
      std::sort(all.begin(), all.end());
      fmt::print(
          "{:>3} {:>3} {:>6} {:>8} {:>7} | {:>7.3f} {:>8.2f} | {:>10} {:>8.2f} {:>5.0f}% {:>6.0f}%\n",
          vocabulary, window, chains, power(vocabulary, window, "windows"),
          power(vocabulary, static_cast<Index>(kernels.parents.size()), "states"), 1e-9 * flops,
          1e-9 * peak, with_loss ? "with loss" : "gradient", 1e3 * best[with_loss],
          100.0 * flops / best[with_loss] / peak, 100.0 * all[all.size() / 2]);
    }
  }
}

}  // namespace

}  // namespace gihflow

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2.0;
  const std::string what = argc > 2 ? argv[2] : "";
  if (what != "infinite") gihflow::table({1000, 9000, 100'000, 1'000'000}, seconds);
  if (what != "finite") gihflow::infinite_table(seconds);
}
