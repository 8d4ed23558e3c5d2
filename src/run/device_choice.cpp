#include "run/device_choice.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "gihflow/base/errors.hpp"
#include "gihflow/run/estimate.hpp"

namespace gihflow {

namespace {

// Seconds that a card must save at least: what its driver takes to start (50 ms were measured), and
// what is drawn and laid out for the comparison.
constexpr double card_startup = 0.2;
// Near ties go to the CPU, whose bits are those of machines without a card.
constexpr double clearly_faster = 0.9;

constexpr Index most_timed_whole = 16384, least_timed = 4096, most_timed = 65536;
constexpr double timing_seconds = 2e-3;

struct Timed {
  double seconds = 0.0;
  std::unique_ptr<Objective> whole;  // on all chains, if it was made
};

Timed timed(const DeviceCandidates& candidates, Device device, Index chains) {
  Timed result;
  std::vector<double> seconds;
  const std::vector<Index> sizes = timed_chains(chains);
  for (const Index n : sizes) {
    auto objective = candidates.make(device, n);
    seconds.push_back(candidates.seconds(*objective));
    if (n == chains) result.whole = std::move(objective);
  }
  result.seconds = seconds.back();
  if (sizes.size() == 2) {
    const double more = std::max(0.0, seconds[1] - seconds[0]);
    result.seconds +=
        more * static_cast<double>(chains - sizes[1]) / static_cast<double>(sizes[1] - sizes[0]);
  }
  return result;
}

}  // namespace

std::vector<Index> timed_chains(Index chains) {
  if (chains <= most_timed_whole) return {chains};
  const Index larger = std::clamp(chains / 16, least_timed, most_timed);
  return {larger / 4, larger};
}

DeviceChoice choose_device(const DeviceCandidates& candidates) {
  Timed cpu = timed(candidates, Device::cpu, candidates.on_cpu);
  DeviceChoice choice{Device::cpu, cpu.seconds, 0.0, std::move(cpu.whole)};
  if (candidates.gradients * cpu.seconds < card_startup) return choice;
  choice.objective = nullptr;  // never two in memory
  try {
    Timed card = timed(candidates, Device::cuda, candidates.on_card);
    choice.card = card.seconds;
    if (card.seconds <= clearly_faster * cpu.seconds) {
      choice.device = Device::cuda;
      choice.objective = std::move(card.whole);
    }
  } catch (const InputError&) {  // too little memory, or more windows than it can sum at a time
  }
  return choice;
}

double seconds_of_gradient(const Objective& objective, const Point& at, double batch_share) {
  std::vector<Index> batch;
  if (batch_share > 0.0) {
    const double chains = static_cast<double>(objective.chains());
    const double count = std::clamp(batch_share * chains, 1.0, chains);
    for (double i = 0.0; i < count; ++i)
      batch.push_back(static_cast<Index>(i * chains / count));  // spread over all
  }
  Gradient out;
  const auto evaluate = [&] {
    batch.empty() ? objective.gradient(at, out, false) : objective.batch_gradient(batch, at, out);
  };
  evaluate();  // starts threads and touches memory
  using Clock = std::chrono::steady_clock;
  double least = std::numeric_limits<double>::infinity(), all = 0.0;
  while (all < timing_seconds) {
    const Clock::time_point start = Clock::now();
    evaluate();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    least = std::min(least, seconds);
    all += seconds;
  }
  return least;
}

bool may_take_card(const Problem& problem) {
  const Setting& setting = problem.setting;
  if (!problem.has<DeviceSetting>() || setting.device != Device::automatic) return false;
  if (setting.engine == Engine::reference || setting.resample) return false;
  if (!card_computes(setting.model)) return false;
  const Estimate size = estimate_on(problem, Device::cuda);
  return size.memory <= size.memory_limit;
}

}  // namespace gihflow
