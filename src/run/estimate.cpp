#include "gihflow/run/estimate.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "base/make_fault.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"

namespace gihflow {

namespace {

double real(Index n) {
  return static_cast<double>(n);
}

// Bytes that statistics and error bars of one chain take at most: (window, token, count) while they
// are counted, then in tiles; targets and their padding; a row of per-chain gradients.
double bytes_per_chain(const Setting& setting, const Estimate& size, Index length) {
  const double pairs = std::min(size.pairs_per_chain, real(length));
  const double row = 8.0 * (real(size.parameters) + 1.0);
  if (setting.engine == Engine::reference) {
    return real(length + 1) * sizeof(Token) + 8.0 * real(setting.model.vocabulary) + row;
  }
  return 20.0 * pairs + 24.0 * real(setting.model.vocabulary) + row + 64.0;
}

// Bytes of sequences held in memory.
double bytes_of(const Sequences* sequences) {
  if (sequences == nullptr) return 0.0;
  return 2.0 * static_cast<double>(sequences->tokens.size()) +
         8.0 * static_cast<double>(sequences->targets.size());
}

double recorded_bytes(const Setting& setting, const Estimate& size) {
  const double point = 8.0 * (3.0 * real(size.subsets) +
                              2.0 * real(setting.model.heads * setting.model.window) + 7.0);
  const double restart_point = 8.0 * (4.0 * (real(size.parameters) + 1.0) + 16.0);
  return real(size.outputs) * point +
         static_cast<double>(setting.stages.size()) * real(most_restart_points) * restart_point;
}

void estimate_sample(const Setting& setting, Estimate& size) {
  const double tokens = real(size.chains) * real(size.length + 1) * sizeof(Token);
  const double targets = 8.0 * real(size.chains) * real(setting.model.vocabulary);
  const double kernels =
      setting.kernels_output.empty()
          ? 0.0
          : 8.0 * real(size.chains) *
                std::pow(real(setting.model.vocabulary),
                         static_cast<double>(setting.sampling.prior.parents.size()) + 1.0);
  size.disk = tokens + targets + kernels + 8.0 * real(size.chains + size.length) + 8192.0;
  size.memory = 2.0 * size.disk;  // the numbers and the file's image
}

void estimate_objective(const Problem& problem, Estimate& size) {
  const Setting& setting = problem.setting;
  const Model& model = setting.model;
  const double d = real(model.vocabulary);
  size.subsets = subset_count(model.heads, model.degree);
  size.parameters = size.subsets + model.heads * model.window + 1;
  size.windows = std::pow(d, real(model.widest()));
  if (problem.infinite()) {
    const double kernel =
        std::pow(d, static_cast<double>(setting.sampling.prior.parents.size()) + 1.0);
    size.pairs_per_chain = size.windows * d;
    size.memory = 8.0 * real(size.chains + size.validation_chains) *
                  (size.pairs_per_chain + kernel + real(size.parameters) + 1.0);
    return;
  }
  if (model.boundary == Boundary::partial) {  // (4.4)
    for (Index j = 1; j <= model.widest(); ++j) size.windows += std::pow(d, real(j - 1));
  }
  size.pairs_per_chain = std::min(real(size.length), size.windows * d);
  const Index validation_length =
      problem.validation_data ? problem.validation_data->length : size.length;
  size.memory = real(size.chains) * bytes_per_chain(setting, size, size.length) +
                real(size.validation_chains) * bytes_per_chain(setting, size, validation_length) +
                bytes_of(problem.data.get()) + bytes_of(problem.validation_data.get()) +
                4.0 * real(setting.threads.value_or(threads())) * real(size.length + 1);
  if (problem.kernels) size.memory += 8.0 * static_cast<double>(problem.kernels->values.size());
}

}  // namespace

Estimate estimate(const Problem& problem) {
  const Setting& setting = problem.setting;
  Estimate size;
  size.chains = setting.sampling.count;
  size.length = setting.sampling.length;
  size.memory_limit = static_cast<double>(memory_limit());
  if (!problem.has<LagSetting>()) {
    estimate_sample(setting, size);
    return size;
  }
  if (!problem.has<SequenceSetting>()) {
    size.memory = 8.0 * real(size.chains) *
                  std::pow(real(setting.model.vocabulary),
                           static_cast<double>(setting.sampling.prior.parents.size()) + 1.0);
    return size;
  }
  if (problem.has<RunSetting>()) size.validation_chains = setting.validation_chains;
  estimate_objective(problem, size);
  if (problem.has<RunSetting>()) {
    size.outputs = setting.flow.outputs * static_cast<Index>(setting.stages.size());
    const double recorded = recorded_bytes(setting, size);
    size.disk = recorded + 65536.0 + 16384.0 * static_cast<double>(setting.stages.size());
    size.memory += 4.0 * recorded;  // the points, a column of them, the file's image twice
  }
  return size;
}

namespace {

constexpr Index sample_chains = 1000, sample_tokens = 2'000'000;
constexpr double gradients_of_flow = 300.0;  // a stage

std::unique_ptr<Objective> sampled_objective(const Problem& problem, Index count) {
  const Setting& setting = problem.setting;
  if (!problem.infinite()) {
    return make_objective(setting.model, SequenceSlice(*problem.chains(), 0, count),
                          setting.engine);
  }
  Kernels first = problem.kernels ? *problem.kernels
                                  : draw_kernels(setting.sampling.prior, setting.sampling.seed,
                                                 Purpose::train, count);
  first.values.resize(first.values.size() / static_cast<std::size_t>(first.count) *
                      static_cast<std::size_t>(count));
  first.count = count;
  return make_infinite_objective(setting.model, first);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Passes over all chains that the schedule takes.
double count_gradients(const Problem& problem) {
  const Setting& setting = problem.setting;
  const double share = setting.batch > 0 ? real(setting.batch) / real(setting.sampling.count) : 1.0;
  double gradients = 0.0;
  for (const Stage& stage : setting.stages) {
    const auto steps = [&](double rate) { return real(descent_steps(stage, rate)); };
    if (problem.has<RateSetting>()) {
      for (const double rate : setting.learning_rates) gradients += steps(rate);
    }
    if (setting.method == TrainingMethod::gd) {
      gradients += share * steps(setting.learning_rate);
    } else {
      gradients += gradients_of_flow;
    }
  }
  return gradients;
}

}  // namespace

TimeEstimate estimate_time(const Problem& problem) {
  const Setting& setting = problem.setting;
  const ContextScope scope({.threads = setting.threads});
  const Index sample =
      std::clamp<Index>(sample_tokens / setting.sampling.length, 16, sample_chains);
  const Index count = std::min(sample, setting.sampling.count);
  const double scale = real(setting.sampling.count) / real(count);
  TimeEstimate time;
  auto start = std::chrono::steady_clock::now();
  const auto objective = sampled_objective(problem, count);
  time.statistics = scale * seconds_since(start) *
                    (1.0 + real(setting.validation_chains) / real(setting.sampling.count));
  const Point at = point_of(problem.start());
  Gradient gradient;
  objective->gradient(at, gradient);  // threads are awake, memory is there
  start = std::chrono::steady_clock::now();
  objective->gradient(at, gradient);
  time.gradient = scale * seconds_since(start);
  time.gradients = count_gradients(problem);
  time.counted = setting.method == TrainingMethod::gd;
  return time;
}

ErrorList estimate_errors(const Problem& problem, const Estimate& size) {
  ErrorList errors;
  if (size.memory > size.memory_limit) {
    Phrase need("need");
    const char* joint = "with";
    const auto mention = [&](Field field, Index count) {
      need += phrase(" {} {} {}", joint, field, count);
      joint = "and";
    };
    if (size.validation_chains > 0) mention(Field::validation_chains, size.validation_chains);
    if (!problem.infinite() && problem.has<SequenceSetting>()) mention(Field::length, size.length);
    need += phrase(" up to {} of memory: must fit in the {} that this machine gives",
                   to_string_bytes(size.memory), to_string_bytes(size.memory_limit));
    errors.add({Field::chains, fmt::format("{}", size.chains), std::move(need), ""});
  }
  const std::string& output = problem.setting.output;
  const std::string directory = std::filesystem::path(output).parent_path().string();
  struct statvfs disk {};
  if (!output.empty() && statvfs(directory.empty() ? "." : directory.c_str(), &disk) == 0) {
    const double available =
        static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    if (size.disk > available) {
      errors.add(fault(Field::output, output, "takes up to {}: must fit in the {} free on its disk",
                       to_string_bytes(size.disk), to_string_bytes(available)));
    }
  }
  return errors;
}

std::string to_string_bytes(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024.0 && unit + 1 < units.size()) {
    bytes /= 1024.0;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string to_string_duration(double seconds) {
  struct Unit {
    double seconds;
    const char* name;
  };
  constexpr double day = 86400.0;
  constexpr std::array units{Unit{365.25 * day, "years"}, Unit{day, "days"}, Unit{3600.0, "h"},
                             Unit{60.0, "min"},           Unit{1.0, "s"},    Unit{1e-3, "ms"}};
  const auto unit = std::find_if(units.begin(), units.end() - 1,
                                 [&](const Unit& u) { return seconds >= 2.0 * u.seconds; });
  const double count = seconds / unit->seconds;
  return count < 99.5 || count >= 1e4
             ? fmt::format("{:.2g} {}", count, unit->name)
             : fmt::format("{:.0f} {}", std::round(count / 10.0) * 10.0, unit->name);
}

}  // namespace gihflow
