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
#include "gihflow/information/chi_square.hpp"
#include "gihflow/model/blocks.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/record/schema.hpp"
#include "gihflow/theory/accuracy.hpp"
#include "run/device_choice.hpp"

namespace gihflow {

namespace {

double real(Index n) {
  return static_cast<double>(n);
}

// Memory of the program and its libraries beyond what is resident when the estimate is made.
constexpr double program_bytes = 32.0 * 0x1p20;
// Additional memory of a program with the CUDA engine when its libraries are unloaded, with or
// without a card: 65 MiB measured.
constexpr double cuda_library_bytes = 96.0 * 0x1p20;
// Host memory of a card's driver and contexts.
constexpr double driver_bytes = 1024.0 * 0x1p20;

double kernel_bytes(const Setting& setting) {
  return 8.0 * std::pow(real(setting.model.vocabulary),
                        static_cast<double>(setting.sampling.prior.parents.size()) + 1.0);
}

Index longest_lag(const Setting& setting) {
  const std::vector<Index>& parents = setting.sampling.prior.parents;
  return parents.empty() ? 0 : parents.back();
}

// Numbers in (c, w, a, …).
Index parameters_of(const Model& model) {
  Index count = model.subsets();
  for (const PlainArray& array : plain_arrays) count += size_of(array, model);
  return count;
}

// Numbers of a recorded point in the columns that some files have.
double numbers_of_point(const Setting& setting, bool (SnapshotColumn::*in_files)() const) {
  const Parameters shape = initial_parameters(setting.model, setting.initial);
  double numbers = 0.0;
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (!(column.*in_files)() || !column.is_of(shape)) continue;
    double of_column = 1.0;
    for (const Index length : shape_of(column.axes, shape)) of_column *= real(length);
    numbers += of_column;
  }
  return numbers;
}

// Bytes of the numbers that a run records; a state may hold a Jacobian.
double recorded_bytes(const Setting& setting, const Estimate& size) {
  const double state = real(size.parameters) + 1.0, restart_point = 4.0 * state + 16.0,
               stages = static_cast<double>(setting.stages.size());
  return 8.0 * (real(size.outputs) * numbers_of_point(setting, &SnapshotColumn::in_runs) +
                stages * real(most_restart_points) * restart_point +
                (setting.method == TrainingMethod::flow ? state * state : 0.0));
}

// The same of a comparison: the flow and every rate, with distances of blocks to both flows.
double compared_bytes(const Setting& setting, const Estimate& size) {
  const double rates = static_cast<double>(setting.learning_rates.size()),
               blocks = static_cast<double>(letters_of(setting.model).size());
  return 8.0 * real(size.outputs) *
         (2.0 + (1.0 + rates) * numbers_of_point(setting, &SnapshotColumn::in_comparisons) +
          rates * (2.0 * (blocks + 1.0) + 4.0));
}

void estimate_sample(const Setting& setting, Estimate& size) {
  const double tokens = real(size.chains) * real(size.length + 1) * sizeof(Token);
  const double targets = 8.0 * real(size.chains) * real(setting.model.vocabulary);
  const double kernels =
      setting.kernels_output.empty() ? 0.0 : real(size.chains) * kernel_bytes(setting);
  size.disk = tokens + targets + kernels + 8.0 * real(size.chains + size.length) + 16384.0;
  size.memory += 2.0 * size.disk;  // the numbers and the file's image
}

// Peak memory of the objectives on training and validation chains, made one after the other, and of
// later work beside them.
double both(const MemoryBound& training, const MemoryBound& validation, double beside = 0.0) {
  return std::max(
      {training.peak, training.kept + validation.peak, training.kept + validation.kept + beside});
}

void estimate_objective(const Problem& problem, Device device, Estimate& size) {
  const Setting& setting = problem.setting;
  const Model& model = setting.model;
  const double d = real(model.vocabulary);
  size.subsets = subset_count(model.heads, model.degree);
  size.parameters = parameters_of(model);
  MemoryBound validation;
  if (problem.infinite()) {
    size.windows = std::pow(d, real(static_cast<Index>(model.used_lags().size())));
    size.pairs_per_chain = size.windows * d;
    const Index longest = longest_lag(setting);
    if (size.validation_chains > 0)
      validation = infinite_objective_memory(model, size.validation_chains, longest);
    size.memory += both(infinite_objective_memory(model, size.chains, longest), validation) +
                   real(size.chains + size.validation_chains) * kernel_bytes(setting);
    return;
  }
  size.windows = model.window_count();
  const double asked = real(model.asked(size.length));
  size.pairs_per_chain = asked * std::min(real(size.length), size.windows * d);
  const Index validation_length =
      problem.validation_data ? problem.validation_data->length : size.length;
  const Index longest = std::max(size.length, validation_length),
              laws = model.asked(longest) * model.vocabulary;
  const double drawn =
      real(drawn_together(longest, laws)) * (2.0 * real(longest + 1) + 8.0 * real(laws));
  if (size.validation_chains > 0)
    validation =
        objective_memory(model, size.validation_chains, validation_length, setting.engine, device);
  // Objectives, hashes of chains, and their losses under the baselines.
  size.memory +=
      both(objective_memory(model, size.chains, size.length, setting.engine, device), validation,
           std::max(accuracy_memory(model, size.chains, size.length),
                    accuracy_memory(model, size.validation_chains, validation_length))) +
      128.0 * real(size.chains + size.validation_chains) +
      threads() * (4.0 * real(longest + 1) + drawn);
  if (setting.resample && setting.batch > 0)
    size.memory += objective_memory(model, setting.batch, size.length, setting.engine, device).peak;
}

}  // namespace

Estimate estimate_on(const Problem& problem, Device device) {
  const Setting& setting = problem.setting;
  const ContextScope scope({.threads = setting.threads});
  Estimate size;
  size.chains = setting.sampling.count;
  size.length = setting.sampling.length;
  size.memory_limit = static_cast<double>(memory_limit());
  size.memory = static_cast<double>(resident_memory()) + program_bytes +
                (built_with_cuda() ? cuda_library_bytes : 0.0);
  if (!problem.data) size.memory += threads() * drawing_memory(setting.sampling);
  if (!problem.data && problem.has<SequenceSetting>() && !problem.infinite())
    size.memory += kept_chains_memory(setting.sampling, size.chains);
  if (!problem.has<LagSetting>()) {
    estimate_sample(setting, size);
    return size;
  }
  if (!problem.has<SequenceSetting>()) {
    size.memory += real(size.chains) * kernel_bytes(setting) +
                   ranking_memory(setting.model.vocabulary, longest_lag(setting), size.chains,
                                  setting.model.window, setting.model.degree);
    return size;
  }
  if (device == Device::cuda) size.memory += driver_bytes;
  if (problem.has<RunSetting>()) size.validation_chains = setting.validation_chains;
  if (!problem.infinite() && !problem.validation_data)
    size.memory += kept_chains_memory(setting.sampling, size.validation_chains);
  estimate_objective(problem, device, size);
  if (problem.has<RunSetting>() || problem.has<RateSetting>()) {
    size.outputs = setting.flow.outputs * static_cast<Index>(setting.stages.size());
    const double recorded =
        problem.has<RateSetting>() ? compared_bytes(setting, size) : recorded_bytes(setting, size);
    size.disk = recorded + 65536.0 + 16384.0 * static_cast<double>(setting.stages.size());
    size.memory += 4.0 * size.disk;  // the points, one column of them, the file's image twice
  }
  return size;
}

Estimate estimate(const Problem& problem) {
  Estimate size = estimate_on(problem, problem.setting.device);
  if (may_take_card(problem))
    size.memory = std::max(size.memory, estimate_on(problem, Device::cuda).memory);
  return size;
}

namespace {

constexpr double most_sample_chains = 1000.0, sample_work = 2e7;  // about tokens times subsets
constexpr double gradients_of_flow = 300.0;                       // per stage
constexpr double gradients_of_modified_flow = 1200.0;             // with products with the Hessian
constexpr double gradients_of_sharpness = 30.0;                   // ten such products
constexpr double multiplications_a_second = 2e9;

// Multiplications for a chain's stationary law.
double law_work(const Setting& setting) {
  return std::pow(real(setting.model.vocabulary), 3.0 * real(longest_lag(setting))) / 3.0;
}

// A part of the problem that can be measured in a moment, and the ratio of the whole to it.
struct Sample {
  Problem problem;
  Index chains = 1;
  double draws = 1.0, gradient = 1.0;  ///< work of the whole / work of the part
  double seconds = 0.0;                ///< estimated, for work too long to measure
  double gradient_seconds = 0.0;

  explicit Sample(const Problem& whole) : problem(whole) {
    Setting& setting = problem.setting;
    const Estimate size = estimate(whole);
    const double all = real(setting.sampling.count) + real(size.validation_chains);
    const double asked = real(setting.model.asked(size.length));
    double a_chain =
        std::min(asked * real(size.length) * (4.0 + real(size.subsets) / 4.0), sample_work);
    const bool stationary = !problem.data && (problem.infinite() || setting.sampling.initial_law ==
                                                                        InitialLaw::stationary);
    const double law = stationary ? law_work(setting) : 0.0;
    if (problem.infinite()) {
      a_chain = 4.0 * size.windows * size.pairs_per_chain;
    } else if (!problem.data && real(size.length) > sample_work / 10.0) {
      setting.sampling.length = static_cast<Index>(sample_work / 10.0);
      draws = real(size.length) / real(setting.sampling.length);
      gradient =
          size.pairs_per_chain / std::min(size.pairs_per_chain, real(setting.sampling.length));
    }
    chains =
        static_cast<Index>(std::clamp(sample_work / (a_chain + law), 1.0,
                                      std::min(most_sample_chains, real(setting.sampling.count))));
    draws *= all / real(chains);
    gradient *= real(setting.sampling.count) / real(chains);
    if (a_chain + law > 10.0 * sample_work) {  // a single chain takes too long to measure
      seconds = all * law / multiplications_a_second / threads();
      setting.sampling.initial_law = InitialLaw::uniform;
      if (problem.infinite()) {
        chains = 0;
        gradient_seconds =
            real(setting.sampling.count) * a_chain / multiplications_a_second / threads();
      }
    }
  }

  std::unique_ptr<Objective> objective() const {
    const Setting& setting = problem.setting;
    if (!problem.infinite()) {
      return make_objective(setting.model, SequenceSlice(*problem.chains(), 0, chains),
                            setting.engine);
    }
    return make_infinite_objective(setting.model, *problem.chain_kernels(chains));
  }
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double count_gradients(const Problem& problem) {
  const Setting& setting = problem.setting;
  const double share = setting.batch > 0 ? real(setting.batch) / real(setting.sampling.count) : 1.0;
  double gradients = 0.0;
  const DescentOptions descent = descent_options(setting);
  for (std::size_t k = 0; k < setting.stages.size(); ++k) {
    const Stage& stage = setting.stages[k];
    const auto steps = [&](double rate) { return real(descent_steps(stage, rate)); };
    if (problem.has<RateSetting>()) {
      gradients += real(setting.flow.outputs) * gradients_of_sharpness;
      for (const double rate : setting.learning_rates)
        gradients += steps(rate) + gradients_of_modified_flow;
    }
    if (setting.method == TrainingMethod::gd) {
      gradients += share * steps(stage_rate(descent, k));
    } else {
      gradients += gradients_of_flow;
    }
  }
  return gradients;
}

TimeEstimate estimate_time(const Problem& problem) {
  const Setting& setting = problem.setting;
  const ContextScope scope({.threads = setting.threads});
  const Sample sample(problem);
  TimeEstimate time;
  time.gradients = count_gradients(problem);
  time.counted = setting.method == TrainingMethod::gd;
  time.statistics = sample.seconds;
  time.gradient = sample.gradient_seconds;
  if (sample.chains == 0) return time;
  auto start = std::chrono::steady_clock::now();
  const auto objective = sample.objective();
  time.statistics += sample.draws * seconds_since(start);
  const Point at = point_of(problem.start());
  Gradient gradient;
  objective->gradient(at, gradient);  // starts threads and touches memory
  start = std::chrono::steady_clock::now();
  objective->gradient(at, gradient);
  time.gradient = sample.gradient * seconds_since(start);
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
