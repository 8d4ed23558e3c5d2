#include "record/checkpoint_record.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "gihflow/record/data_hash.hpp"
#include "record/fields.hpp"
#include "record/parameter_record.hpp"
#include "record/restart_record.hpp"
#include "record/stage_record.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;

constexpr const char* group = "/checkpoint";

// Hash of everything that a run has recorded and of its checkpoint, to detect damage.
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
        const FlatRecord row = flatten(point);
        add(row.reals);
        add(row.integers);
      }
    }
  }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  void add(Index number) { state_ = fnv1a(static_cast<std::uint64_t>(number), state_); }
  void add(double number) { state_ = fnv1a(std::bit_cast<std::uint64_t>(number), state_); }
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
    for (const PlainArray& array : plain_arrays) {
      const std::span<const double> numbers = array.in(parameters);
      if (*array.axes == '\0')
        add(numbers.front());
      else if (!numbers.empty())
        add(std::vector<double>(numbers.begin(), numbers.end()));
    }
  }
  // Hashes the sign of c instead of c, which follows from θ and the sign.
  void add(const Snapshot& snapshot) {
    for (const SnapshotColumn& column : snapshot_columns()) {
      const bool independent = column.set != nullptr && *column.follows_from == '\0';
      const std::vector<double> values = column.get(snapshot);
      const auto is_absent = [](double value) { return std::isnan(value); };
      if (!independent || values.empty() ||
          (column.added && std::all_of(values.begin(), values.end(), is_absent)))
        continue;
      add(values);
      if (column.name == std::string_view("log_c_squared")) add_signs(snapshot.parameters);
    }
  }
  void add(const StepperState& stepper) {
    FlatRecord flat = flatten(stepper);
    add(Index{stepper.active ? 1 : 0});
    add(stepper.next_output);
    add(flat.reals);
    flat.integers.erase(flat.integers.begin());  // next_output
    add(flat.integers);
  }

  std::uint64_t state_ = fnv1a({});
};

// Writes a list along `scale`, or with a scale of its own if that is empty; writes nothing for an
// empty list.
template <class T>
void write_list(Image& image, const std::string& name, std::span<const T> values,
                const char* meaning, const std::string& scale = "") {
  if (values.empty()) return;
  const std::string path = fmt::format("{}/{}", group, name);
  image.dataset<T>(path, values, {values.size()},
                   {"1", meaning, scale.empty() ? std::vector<std::string>() : std::vector{scale}});
  if (scale.empty()) image.make_scale(path);
}

template <class T>
std::vector<T> read_optional_list(InputFile& file, const std::string& name) {
  const std::string path = fmt::format("{}/{}", group, name);
  return file.has(path) ? read_list<T>(file, path).value_or(std::vector<T>()) : std::vector<T>();
}

}  // namespace

void write_checkpoint(Image& image, const TrainingState& state) {
  const StepperState& stepper = state.stepper;
  image.group(group);
  image.attribute(group, "stage", state.stage);
  write_attributes(image, group, stepper);
  image.attribute(group, "hash", StateHash(state).text());
  image.attribute(group, "stages_begun", static_cast<Index>(state.trajectory.stages.size()));
  const FlatRecord flat = flatten(stepper);
  const auto reals = std::span(flat.reals).subspan(2 + stepper.x.size());  // after t, dt, x
  const std::size_t slope = slope_size(stepper);
  write_list<double>(image, "x", stepper.x, "flat state of the integrator");
  write_list(image, "slope", reals.first(slope), "time derivative at the state",
             slope == stepper.x.size() ? fmt::format("{}/x", group) : "");
  write_list(image, "memory", reals.subspan(slope), "memory of the step control");
  write_list(image, "counters", std::span(flat.integers).subspan(1),
             "integer memory of the step control");
  image.group(fmt::format("{}/start", group));
  write_parameters_into(image, fmt::format("{}/start", group), state.start);
}

TrainingState read_state(InputFile& file, Index degree) {
  TrainingState state;
  state.stage = read_count(file, group, "stage");
  read_attributes(file, group, state.stepper);
  state.stepper.x = read_optional_list<double>(file, "x");
  std::vector<double> reals = read_optional_list<double>(file, "slope");
  const std::size_t slope = reals.size();
  const auto memory = read_optional_list<double>(file, "memory");
  const auto counters = read_optional_list<Index>(file, "counters");
  reals.insert(reals.end(), memory.begin(), memory.end());
  if (!file.faulty() && !restore_method(state.stepper, reals, counters, slope)) {
    file.fault(fmt::format(
        "{}/memory and counters have {} and {} entries: must be a state of the flow or of gradient "
        "descent, and empty where no stage is under way",
        group, memory.size(), counters.size()));
  }
  const auto start = read_parameters_from(file, fmt::format("{}/start", group), degree);
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
    state.initial = begun.front().snapshots.front().parameters;  // except for gauge fixing
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
