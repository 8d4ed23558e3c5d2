#include "record/checkpoint_record.hpp"

#include <array>
#include <bit>

#include "gihflow/record/data_hash.hpp"
#include "record/fields.hpp"
#include "record/parameter_record.hpp"
#include "record/restart_record.hpp"
#include "record/stage_record.hpp"
#include "record/stepper_memory.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;

// A vector with a scale of its own; nothing for an empty one.
template <class T>
void write_memory(Image& image, const std::string& group, const std::string& name,
                  const std::string& scale, const std::vector<T>& values, const char* meaning) {
  if (values.empty()) return;
  if (scale != name) {
    image.dataset<T>(group + "/" + name, values, {values.size()},
                     {"1", meaning, {group + "/" + scale}});
  } else {
    image.dataset<T>(group + "/" + name, values, {values.size()}, {"1", meaning, {}});
    image.make_scale(group + "/" + name);
  }
}

// Hash of all that a run has recorded and of where it goes on: a file that was damaged or edited is
// told from one that was written.
class StateHash {
 public:
  explicit StateHash(const TrainingState& state) {
    add(state.stage);
    add(state.initial);
    add(state.start);
    add(state.stepper);
    for (const StageRecord& stage : state.trajectory.stages) {
      add(stage.stage.duration);
      for (const Snapshot& snapshot : stage.snapshots) add(snapshot);
      for (const RestartPoint& point : stage.restarts) {
        add(reals_of(point));
        add(integers_of(point));
      }
    }
  }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  void add(std::uint64_t number) {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>((number >> (8 * i)) & 0xffu);
    }
    state_ = fnv1a(bytes, state_);
  }
  void add(Index number) { add(static_cast<std::uint64_t>(number)); }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number)); }
  template <class T>
  void add(const std::vector<T>& numbers) {
    for (const T number : numbers) add(number);
  }
  void add_signs(const Parameters& parameters) {
    for (const auto sign : parameters.c_sign) add(static_cast<Index>(sign));
  }
  void add(const Parameters& parameters) {
    add(parameters.log_c_squared);
    add_signs(parameters);
    add(parameters.w);
    add(parameters.a);
  }
  // The sign of c instead of c itself, which only follows from θ.
  void add(const Snapshot& snapshot) {
    for (const SnapshotColumn& column : snapshot_columns()) {
      if (column.set == nullptr || *column.follows_from != '\0') continue;
      add(column.get(snapshot));
      if (column.name == std::string_view("log_c_squared")) add_signs(snapshot.parameters);
    }
  }
  void add(const StepperState& stepper) {
    add(Index{stepper.active ? 1 : 0});
    add(stepper.next_output);
    add(stepper.t);
    add(stepper.dt);
    add(stepper.x);
    const StepperMemory stored = memory_of(stepper);
    add(stored.slope);
    add(stored.memory);
    add(stored.counters);
  }

  std::uint64_t state_ = fnv1a({});
};

template <class T>
std::vector<T> read_memory(InputFile& file, const std::string& name) {
  if (!file.has(name)) return {};
  constexpr bool real = std::is_same_v<T, double>;
  const auto dataset =
      file.dataset(name, real ? hdf5::Numbers::reals : hdf5::Numbers::integers, "one-dimensional");
  if (!dataset) return {};
  if (dataset->shape.size() != 1) {
    file.fault(fmt::format("{} has shape {}: must be one-dimensional", name,
                           hdf5::to_string(dataset->shape)));
    return {};
  }
  if constexpr (real) {
    return file.reals(*dataset).value_or(std::vector<double>());
  } else {
    return file.integers(*dataset).value_or(std::vector<std::int64_t>());
  }
}

}  // namespace

void write_checkpoint(Image& image, const TrainingState& state) {
  const std::string group = "/checkpoint";
  const StepperState& stepper = state.stepper;
  image.group(group);
  image.attribute(group, "stage", state.stage);
  image.attribute(group, "active", static_cast<std::int8_t>(stepper.active ? 1 : 0));
  image.attribute(group, "next_output", stepper.next_output);
  image.attribute(group, "t", stepper.t);
  image.attribute(group, "dt", stepper.dt);
  image.attribute(group, "hash", StateHash(state).text());
  image.attribute(group, "stages_begun", static_cast<Index>(state.trajectory.stages.size()));
  write_memory(image, group, "x", "x", stepper.x, "flat state of the integrator");
  const StepperMemory stored = memory_of(stepper);
  write_memory(image, group, "slope", stepper.x.size() == stored.slope.size() ? "x" : "slope",
               stored.slope, "time derivative at the state");
  write_memory(image, group, "memory", "memory", stored.memory, "memory of the step control");
  write_memory(image, group, "counters", "counters", stored.counters,
               "integer memory of the step control");
  image.group(group + "/start");
  write_parameters_into(image, group + "/start", state.start);
}

TrainingState read_state(InputFile& file, Index degree) {
  TrainingState state;
  const std::string group = "/checkpoint";
  state.stage = read_count(file, group, "stage");
  state.stepper.active = read_count(file, group, "active") != 0;
  state.stepper.next_output = read_count(file, group, "next_output");
  state.stepper.t = file.real_attribute(group, "t").value_or(0.0);
  state.stepper.dt = file.real_attribute(group, "dt").value_or(0.0);
  state.stepper.x = read_memory<double>(file, group + "/x");
  const StepperMemory stored{read_memory<double>(file, group + "/slope"),
                             read_memory<double>(file, group + "/memory"),
                             read_memory<Index>(file, group + "/counters")};
  if (!file.faulty() && !set_memory(state.stepper, stored)) {
    file.fault(fmt::format(
        "{}/memory and counters have {} and {} entries: must be a state of the flow or of gradient "
        "descent, and empty where no stage is under way",
        group, stored.memory.size(), stored.counters.size()));
  }
  const auto start = read_parameters_from(file, group + "/start", degree);
  if (!start) return state;
  state.start = *start;
  const Index stages = read_count(file, group, "stages_begun");
  for (Index k = 0; k < stages && !file.faulty(); ++k) {
    state.trajectory.stages.push_back(
        read_stage(file, stage_group(static_cast<std::size_t>(k)), *start));
  }
  state.initial = *start;
  if (file.has("/initial")) {
    state.initial = read_parameters_from(file, "/initial", degree).value_or(*start);
  } else if (const auto& begun = state.trajectory.stages;
             state.stage > 0 && !begun.empty() && !begun.front().snapshots.empty()) {
    state.initial = begun.front().snapshots.front().parameters;  // but for gauge fixing
  }
  if (!file.faulty() && file.has_attribute(group, "hash")) {
    const std::string found = StateHash(state).text();
    const std::string hash = file.text_attribute(group, "hash").value_or("");
    if (hash != found) {
      file.fault(
          fmt::format("is damaged: what it records has the hash {}, and attribute hash of {} is {}",
                      found, group, hash));
    }
  }
  return state;
}

}  // namespace gihflow
