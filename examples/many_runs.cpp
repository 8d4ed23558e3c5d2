// Runs the first stage for several Dirichlet parameters and seeds, two runs at a time, and prints
// which parent set each run selected and when.
//
//     many_runs

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>
#include <vector>

#include <gihflow/gihflow.hpp>

using namespace gihflow;

namespace {

struct Selection {
  double alpha;
  unsigned seed;
  std::uint32_t set = 0;
  double time = NAN;  // when p of the set that wins passes 0.9
};

void select(Selection& row) {
  TrainSetting setting;
  setting.sampling.prior.alpha = row.alpha;
  setting.sampling.seed = row.seed;
  setting.sampling.count = 300;
  setting.validation_chains = 0;
  setting.stages = parse_schedule("c:50000");
  const Run run = train(setting);

  const auto sets = subsets(run.final().heads, run.final().degree);
  const auto end = run.final().p();
  const auto winner =
      static_cast<std::size_t>(std::max_element(end.begin(), end.end()) - end.begin());
  row.set = sets[winner];
  const auto t = run.column("t"), p = run.column("p");  // p: a row of all sets for each time
  for (std::size_t i = 0; i < t.size() && std::isnan(row.time); ++i) {
    if (p[i * sets.size() + winner] > 0.9) row.time = t[i];
  }
}

}  // namespace

int main() {
  std::vector<Selection> rows;
  for (const double alpha : {0.1, 0.5}) {
    for (const unsigned seed : {1u, 2u, 3u}) rows.push_back({alpha, seed});
  }
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    const ContextScope scope({.threads = 1});  // of this thread alone
    for (std::size_t i = next++; i < rows.size(); i = next++) select(rows[i]);
  };
  { const std::jthread one(work), other(work); }
  std::printf("%6s %5s  %-6s %10s\n", "alpha", "seed", "set", "time");
  for (const Selection& row : rows) {
    std::printf("%6g %5u  %-6s %10.4g\n", row.alpha, row.seed, to_string_subset(row.set).c_str(),
                row.time);
  }
}
