#include "gihflow/record/run_file.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "gihflow/base/errors.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/record/data_hash.hpp"
#include "record/parameter_record.hpp"
#include "record/provenance.hpp"
#include "record/stepper_memory.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;
using hdf5::Shape;

constexpr double derived_tolerance = 1e-9;  // relative, of what follows from other datasets

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::string stage_group(std::size_t stage) {
  return fmt::format("/stage_{}", stage + 1);
}

// Parameters at the end of what was recorded; of the start, when nothing was.
Parameters last_parameters(const TrainingState& state) {
  for (auto stage = state.trajectory.stages.rbegin(); stage != state.trajectory.stages.rend();
       ++stage) {
    if (!stage->snapshots.empty()) return stage->snapshots.back().parameters;
  }
  return state.start;
}

// One number of each snapshot, or one row.
template <class Get>
std::vector<double> column(const StageRecord& stage, Get get) {
  std::vector<double> values;
  values.reserve(stage.snapshots.size());
  for (const Snapshot& snapshot : stage.snapshots) values.push_back(get(snapshot));
  return values;
}

template <class Get>
std::vector<double> rows(const StageRecord& stage, Get get) {
  std::vector<double> values;
  for (const Snapshot& snapshot : stage.snapshots) {
    const std::vector<double> row = get(snapshot);
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

// Where the automatic integrator changed its method; nothing when it never did.
void write_switches(Image& image, const std::string& group,
                    const std::vector<IntegratorSwitch>& switches) {
  if (switches.empty()) return;
  std::vector<double> t;
  std::vector<std::string> from, to, reason;
  for (const IntegratorSwitch& change : switches) {
    t.push_back(change.t);
    from.push_back(change.from);
    to.push_back(change.to);
    reason.push_back(change.reason);
  }
  const std::string scale = group + "/switch";
  image.group(group);
  image.counting_scale(scale, 1, t.size(), "change of method");
  image.dataset<double>(group + "/time", t, {t.size()},
                        {"flow time", "flow time since the start of the stage", {scale}});
  image.texts(group + "/from", from, "method before", scale);
  image.texts(group + "/to", to, "method after", scale);
  image.texts(group + "/reason", reason, "what decided", scale);
}

// Numbers of a restart point by kind, each in a fixed order, so that points are rows of two tables.
std::vector<double> reals_of(const RestartPoint& point) {
  std::vector<double> row{point.stepper.t, point.stepper.dt, point.gauge_drift};
  const StepperMemory stored = memory_of(point.stepper);
  for (const auto* part : {&point.stepper.x, &stored.slope, &stored.memory}) {
    row.insert(row.end(), part->begin(), part->end());
  }
  return row;
}

std::vector<Index> integers_of(const RestartPoint& point) {
  const StepStatistics& s = point.statistics;
  std::vector<Index> row{point.stepper.next_output, s.rhs_evaluations, s.jacobian_columns,
                         s.output_evaluations,      s.accepted_steps,  s.rejected_steps,
                         s.non_finite_steps};
  const std::vector<Index> counters = memory_of(point.stepper).counters;
  row.insert(row.end(), counters.begin(), counters.end());
  return row;
}

constexpr std::size_t fixed_reals = 3, fixed_integers = 7;

void write_restarts(Image& image, const std::string& group,
                    const std::vector<RestartPoint>& points) {
  if (points.empty()) return;
  image.group(group);
  const StepperMemory first = memory_of(points.front().stepper);
  image.attribute(group, "x_size", static_cast<Index>(points.front().stepper.x.size()));
  image.attribute(group, "slope_size", static_cast<Index>(first.slope.size()));
  image.attribute(group, "memory_size", static_cast<Index>(first.memory.size()));
  std::vector<double> reals;
  std::vector<Index> integers;
  for (const RestartPoint& point : points) {
    const auto row = reals_of(point);
    const auto counts = integers_of(point);
    reals.insert(reals.end(), row.begin(), row.end());
    integers.insert(integers.end(), counts.begin(), counts.end());
  }
  const std::size_t n = points.size();
  image.counting_scale(group + "/point", 1, n, "state to restart from");
  image.counting_scale(group + "/real", 0, reals.size() / n,
                       "t, dt, gauge_drift, x, slope, memory");
  image.counting_scale(group + "/integer", 0, integers.size() / n,
                       "next_output, statistics, counters");
  image.dataset<double>(group + "/reals", reals, {n, reals.size() / n},
                        {"1", "states of the integrator", {group + "/point", group + "/real"}});
  image.dataset<Index>(group + "/integers", integers, {n, integers.size() / n},
                       {"1", "counts at these states", {group + "/point", group + "/integer"}});
}

void write_stage(Image& image, const std::string& group, const StageRecord& stage,
                 const Parameters& shape, bool has_validation) {
  image.group(group);
  image.attribute(group, "trained", blocks_of(stage.stage));
  image.attribute(group, "duration", stage.stage.duration);
  image.attribute(group, "outcome", to_string(stage.outcome));
  image.attribute(group, "hint", stage.hint);
  image.attribute(group, "integrator", stage.integrator);
  image.attribute(group, "gauge_drift", stage.gauge_drift);
  const StepStatistics& steps = stage.statistics;
  image.attribute(group, "rhs_evaluations", steps.rhs_evaluations);
  image.attribute(group, "jacobian_columns", steps.jacobian_columns);
  image.attribute(group, "output_evaluations", steps.output_evaluations);
  image.attribute(group, "accepted_steps", steps.accepted_steps);
  image.attribute(group, "rejected_steps", steps.rejected_steps);
  image.attribute(group, "non_finite_steps", steps.non_finite_steps);

  const std::string t = group + "/t";
  const hsize_t times = stage.snapshots.size();
  const hsize_t n = shape.log_c_squared.size();
  const hsize_t heads = size(shape.heads), window = size(shape.window);
  const auto numbers = [&](const char* name, const char* units, const char* meaning, auto get) {
    image.dataset<double>(group + "/" + name, column(stage, get), {times}, {units, meaning, {t}});
  };
  const auto per_subset = [&](const char* name, const char* meaning, auto get) {
    image.dataset<double>(group + "/" + name, rows(stage, get), {times, n},
                          {"1", meaning, {t, "/subset"}});
  };
  const auto per_component = [&](const char* name, const char* meaning, auto get) {
    image.dataset<double>(group + "/" + name, rows(stage, get), {times, heads, window},
                          {"1", meaning, {t, "/head", "/component"}});
  };

  image.dataset<double>(t, column(stage, [](const Snapshot& s) { return s.t; }), {times},
                        {"flow time", "flow time since the start of the stage", {}});
  image.make_scale(t);
  per_subset("c", "coefficient c_S of a subset",
             [](const Snapshot& s) { return s.parameters.c(); });
  per_subset("log_c_squared", "theta_S = log c_S^2",
             [](const Snapshot& s) { return s.parameters.log_c_squared; });
  per_subset("p", "weight p_S = c_S^2 / C_D of a subset",
             [](const Snapshot& s) { return s.parameters.p(); });
  per_component("w", "first-attention logits", [](const Snapshot& s) { return s.parameters.w; });
  per_component("attention", "first attention sigma = softmax(w)",
                [](const Snapshot& s) { return s.parameters.attention(); });
  numbers("a", "1", "second-attention scale", [](const Snapshot& s) { return s.parameters.a; });
  numbers("loss", "nats", "training loss", [](const Snapshot& s) { return s.loss; });
  if (has_validation) {
    numbers("validation_loss", "nats", "loss on the validation chains",
            [](const Snapshot& s) { return s.validation_loss; });
  }
  numbers("gradient_norm", "nats", "norm of the loss gradient over the trained blocks",
          [](const Snapshot& s) { return s.gradient_norm; });
  numbers("dissipated", "nats", "integral of the squared gradient norm over flow time",
          [](const Snapshot& s) { return s.dissipated; });
  numbers("energy_residual", "nats", "loss(0) - loss(t) - dissipated(t)",
          [](const Snapshot& s) { return s.energy_residual; });
  write_switches(image, group + "/switches", stage.switches);
  write_restarts(image, group + "/restart", stage.restarts);
}

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
  void add(const Parameters& parameters) {
    add(parameters.log_c_squared);
    for (const auto sign : parameters.c_sign) add(static_cast<Index>(sign));
    add(parameters.w);
    add(parameters.a);
  }
  void add(const Snapshot& snapshot) {
    add(snapshot.t);
    add(snapshot.parameters);
    add(snapshot.loss);
    add(snapshot.validation_loss);
    add(snapshot.gradient_norm);
    add(snapshot.dissipated);
    add(snapshot.energy_residual);
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

void write_baselines(Image& image, const std::string& group, const Baselines& lines) {
  image.group(group);
  const auto line = [&](const char* name, const char* meaning, double value, double error) {
    image.scalar<double>(fmt::format("{}/{}", group, name), value, {"nats", meaning, {}});
    image.scalar<double>(fmt::format("{}/{}_standard_error", group, name), error,
                         {"nats", std::string("standard error of the ") + meaning, {}});
  };
  line("gih_loss", "loss of GIH(S)", lines.gih_loss, lines.gih_loss_error);
  if (lines.posterior_loss) {
    line("posterior_loss", "cross-entropy of the posterior predictor", *lines.posterior_loss,
         lines.posterior_loss_error.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  line("entropy_floor", "entropy of the labels", lines.entropy_floor, lines.entropy_floor_error);
}

void write_standard_errors(Image& image, const StandardErrors& errors, const Parameters& shape) {
  const std::string group = "/standard_errors";
  image.group(group);
  image.scalar<double>(group + "/loss", errors.loss,
                       {"nats", "standard error of the training loss at /final", {}});
  image.dataset<double>(group + "/c", errors.c, {errors.c.size()},
                        {"nats", "standard error of the gradient in c", {"/subset"}});
  image.dataset<double>(group + "/w", errors.w, {size(shape.heads), size(shape.window)},
                        {"nats", "standard error of the gradient in w", {"/head", "/component"}});
  image.scalar<double>(group + "/a", errors.a, {"nats", "standard error of the gradient in a", {}});
}

// The processes that computed a run, one column for each field.
void write_processes(Image& image, const std::string& group,
                     const std::vector<ProcessRecord>& processes) {
  if (processes.empty()) return;
  image.group(group);
  const std::string scale = group + "/process";
  image.counting_scale(scale, 1, processes.size(), "process");
  const auto texts = [&](const char* name, const char* meaning, std::string ProcessRecord::*field) {
    std::vector<std::string> values;
    for (const ProcessRecord& process : processes) values.push_back(process.*field);
    image.texts(group + "/" + name, values, meaning, scale);
  };
  const auto numbers = [&]<class T>(const char* name, const char* units, const char* meaning,
                                    T ProcessRecord::*field) {
    std::vector<T> values;
    for (const ProcessRecord& process : processes) values.push_back(process.*field);
    image.dataset<T>(group + "/" + name, values, {values.size()}, {units, meaning, {scale}});
  };
  texts("started", "start, UTC", &ProcessRecord::started);
  texts("finished", "last write of the file, UTC", &ProcessRecord::finished);
  texts("host", "machine", &ProcessRecord::host);
  texts("command_line", "command line", &ProcessRecord::command_line);
  texts("program_version", "version of the program", &ProcessRecord::program_version);
  texts("git_commit", "commit of the program", &ProcessRecord::git_commit);
  texts("instruction_set", "instruction set of the hot loops", &ProcessRecord::instruction_set);
  numbers("threads", "1", "threads", &ProcessRecord::threads);
  numbers("steps", "1", "steps made, rejected ones included", &ProcessRecord::steps);
  numbers("rhs_evaluations", "1", "right-hand sides that its steps took",
          &ProcessRecord::rhs_evaluations);
  numbers("wall_seconds", "s", "wall time", &ProcessRecord::wall_seconds);
}

void write_execution(Image& image, const Execution& execution) {
  const std::string group = "/execution";
  image.group(group);
  image.attribute(group, "host", execution.host);
  image.attribute(group, "device", execution.device);
  image.attribute(group, "threads", execution.threads);
  image.attribute(group, "command_line", execution.command_line);
  image.attribute(group, "output", execution.output);
  image.attribute(group, "started", execution.started);
  image.attribute(group, "finished", execution.finished);
  image.attribute(group, "compiler", execution.compiler);
  image.attribute(group, "compiler_flags", execution.compiler_flags);
  image.attribute(group, "instruction_set", execution.instruction_set);
  image.attribute(group, "library_versions", execution.library_versions);
  image.attribute(group, "checkpoints", execution.checkpoints);
  image.attribute(group, "wall_seconds", execution.wall_seconds);
  image.attribute(group, "statistics_seconds", execution.statistics_seconds);
  image.attribute(group, "flow_seconds", execution.flow_seconds);
  image.attribute(group, "report_seconds", execution.report_seconds);
  write_processes(image, group + "/processes", execution.processes);
}

// --- Reading ---------------------------------------------------------------------------------

// An outcome by name; a fault where the name is none.
Outcome read_outcome(InputFile& file, const std::string& object) {
  const auto text = file.text_attribute(object, "outcome");
  if (!text) return Outcome::running;
  try {
    return parse_outcome(*text);
  } catch (const InputError& error) {
    file.fault(fmt::format("attribute outcome of {}: {}", object, error.what()));
    return Outcome::running;
  }
}

Index read_count(InputFile& file, const std::string& object, const char* name) {
  const auto count = file.integer_attribute(object, name, "an integer of at least 0");
  if (count && *count < 0) {
    file.fault(fmt::format("attribute {} of {} {}: must be at least 0", name, object, *count));
  }
  return count.value_or(0);
}

std::vector<double> row_of(const std::vector<double>& values, std::size_t row, std::size_t width) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * width);
  return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}

// A dataset that follows from others must agree with them, but for another machine's rounding.
template <class Derive>
void check_derived(InputFile& file, const std::string& name,
                   const std::optional<std::vector<double>>& given, const StageRecord& stage,
                   const char* origin, Derive derive) {
  if (!given) return;
  auto value = given->begin();
  for (std::size_t k = 0; k < stage.snapshots.size(); ++k) {
    for (const double expected : derive(stage.snapshots[k].parameters)) {
      const double slack =
          derived_tolerance * std::abs(expected) + std::numeric_limits<double>::min();
      if (!(std::abs(*value - expected) <= slack) && *value != expected) {
        file.fault(fmt::format("is damaged: {} is {} in row {}: must be {}, which follows from {}",
                               name, *value, k, expected, origin));
        return;
      }
      ++value;
    }
  }
}

void read_snapshots(InputFile& file, const std::string& group, const Parameters& shape,
                    StageRecord& stage) {
  const auto t = file.dataset(group + "/t", hdf5::Numbers::reals, "flow times");
  if (!t) return;
  if (t->shape.size() != 1) {
    file.fault(fmt::format("{} has shape {}: must be one-dimensional", t->name,
                           hdf5::to_string(t->shape)));
    return;
  }
  const hsize_t times = t->shape[0];
  const hsize_t n = shape.log_c_squared.size();
  const std::size_t entries = shape.w.size();
  const auto numbers = [&](const char* name) {
    return file.reals(fmt::format("{}/{}", group, name), Shape{times});
  };
  const auto t_values = file.reals(*t);
  const auto c = file.reals(group + "/c", Shape{times, n});
  const auto theta = file.reals(group + "/log_c_squared", Shape{times, n});
  const Shape per_component{times, size(shape.heads), size(shape.window)};
  const auto p = file.reals(group + "/p", Shape{times, n});
  const auto w = file.reals(group + "/w", per_component);
  const auto attention = file.reals(group + "/attention", per_component);
  const auto a = numbers("a");
  const auto loss = numbers("loss");
  const bool has_validation = file.has(group + "/validation_loss");
  const auto validation = has_validation ? numbers("validation_loss") : std::nullopt;
  const auto norm = numbers("gradient_norm");
  const auto dissipated = numbers("dissipated");
  const auto residual = numbers("energy_residual");
  if (!t_values || !c || !theta || !w || !a || !loss || (has_validation && !validation) || !norm ||
      !dissipated || !residual) {
    return;
  }
  for (std::size_t k = 0; k < times; ++k) {
    Snapshot snapshot;
    snapshot.t = (*t_values)[k];
    snapshot.parameters = shape;
    snapshot.parameters.log_c_squared = row_of(*theta, k, n);
    for (std::size_t s = 0; s < n; ++s) {  // a coefficient that underflowed keeps its sign: ±0
      const bool zero = std::isinf((*theta)[k * n + s]);
      snapshot.parameters.c_sign[s] = zero ? 0 : (std::signbit((*c)[k * n + s]) ? -1 : 1);
    }
    snapshot.parameters.w = row_of(*w, k, entries);
    snapshot.parameters.a = (*a)[k];
    snapshot.loss = (*loss)[k];
    snapshot.validation_loss =
        has_validation ? (*validation)[k] : std::numeric_limits<double>::quiet_NaN();
    snapshot.gradient_norm = (*norm)[k];
    snapshot.dissipated = (*dissipated)[k];
    snapshot.energy_residual = (*residual)[k];
    stage.snapshots.push_back(std::move(snapshot));
  }
  check_derived(file, group + "/c", c, stage, "log_c_squared",
                [](const Parameters& x) { return x.c(); });
  check_derived(file, group + "/p", p, stage, "log_c_squared",
                [](const Parameters& x) { return x.p(); });
  check_derived(file, group + "/attention", attention, stage, "w",
                [](const Parameters& x) { return x.attention(); });
}

std::vector<IntegratorSwitch> read_switches(InputFile& file, const std::string& group) {
  std::vector<IntegratorSwitch> switches;
  if (!file.has(group)) return switches;
  const auto from = file.texts(group + "/from");
  const auto to = file.texts(group + "/to");
  const auto reason = file.texts(group + "/reason");
  if (!from || !to || !reason) return switches;
  const auto t = file.reals(group + "/time", Shape{from->size()});
  if (!t) return switches;
  if (to->size() != from->size() || reason->size() != from->size()) {
    file.fault(group + " has lists of different lengths: must have one entry for each switch");
    return switches;
  }
  for (std::size_t k = 0; k < from->size(); ++k) {
    switches.push_back({(*t)[k], (*from)[k], (*to)[k], (*reason)[k]});
  }
  return switches;
}

std::vector<RestartPoint> read_restarts(InputFile& file, const std::string& group) {
  std::vector<RestartPoint> points;
  if (!file.has(group)) return points;
  const auto reals = file.dataset(group + "/reals", hdf5::Numbers::reals, "numbers of each point");
  const auto integers =
      file.dataset(group + "/integers", hdf5::Numbers::integers, "counts of each point");
  const auto x_size = size(read_count(file, group, "x_size"));
  const auto slope_size = size(read_count(file, group, "slope_size"));
  const auto memory_size = size(read_count(file, group, "memory_size"));
  if (!reals || !integers || file.faulty()) return points;
  const std::size_t width = reals->shape.size() == 2 ? reals->shape[1] : 0;
  const bool fits = integers->shape.size() == 2 && integers->shape[0] == reals->shape[0] &&
                    integers->shape[1] >= fixed_integers && x_size <= width &&
                    slope_size <= width && memory_size <= width &&
                    fixed_reals + x_size + slope_size + memory_size == width;
  if (!fits) {
    file.fault(fmt::format("{} has tables of shapes {} and {}: must be those of its sizes", group,
                           hdf5::to_string(reals->shape), hdf5::to_string(integers->shape)));
    return points;
  }
  const auto numbers = file.reals(*reals);
  const auto counts = file.integers(*integers);
  if (!numbers || !counts) return points;
  for (std::size_t k = 0; k < reals->shape[0]; ++k) {
    RestartPoint point;
    auto real = numbers->begin() + static_cast<std::ptrdiff_t>(k * width);
    const auto take = [&real](std::size_t n) {
      const auto begin = real;
      return std::vector<double>(begin, real += static_cast<std::ptrdiff_t>(n));
    };
    point.stepper.active = true;
    point.stepper.t = *real++;
    point.stepper.dt = *real++;
    point.gauge_drift = *real++;
    point.stepper.x = take(x_size);
    StepperMemory stored;
    stored.slope = take(slope_size);
    stored.memory = take(memory_size);
    const auto row = counts->begin() + static_cast<std::ptrdiff_t>(k * integers->shape[1]);
    point.stepper.next_output = row[0];
    point.statistics = {row[1], row[2], row[3], row[4], row[5], row[6]};
    stored.counters.assign(row + fixed_integers,
                           row + static_cast<std::ptrdiff_t>(integers->shape[1]));
    if (!set_memory(point.stepper, stored)) {
      file.fault(group + ": its rows must be states of the flow or of gradient descent");
      return points;
    }
    points.push_back(std::move(point));
  }
  return points;
}

StageRecord read_stage(InputFile& file, const std::string& group, const Parameters& shape) {
  StageRecord stage;
  const std::string trained = file.text_attribute(group, "trained").value_or("");
  for (const char block : trained) {
    stage.stage.c = stage.stage.c || block == 'c';
    stage.stage.w = stage.stage.w || block == 'w';
    stage.stage.a = stage.stage.a || block == 'a';
  }
  if (trained != blocks_of(stage.stage)) {
    file.fault(fmt::format("attribute trained of {} {}: must be letters of cwa", group, trained));
  }
  stage.stage.duration = file.real_attribute(group, "duration").value_or(0.0);
  stage.outcome = read_outcome(file, group);
  stage.hint = file.text_attribute(group, "hint").value_or("");
  stage.integrator = file.text_attribute(group, "integrator").value_or("");
  stage.gauge_drift = file.real_attribute(group, "gauge_drift").value_or(0.0);
  stage.statistics.rhs_evaluations = read_count(file, group, "rhs_evaluations");
  stage.statistics.jacobian_columns = read_count(file, group, "jacobian_columns");
  stage.statistics.output_evaluations = read_count(file, group, "output_evaluations");
  stage.statistics.accepted_steps = read_count(file, group, "accepted_steps");
  stage.statistics.rejected_steps = read_count(file, group, "rejected_steps");
  stage.statistics.non_finite_steps = read_count(file, group, "non_finite_steps");
  read_snapshots(file, group, shape, stage);
  stage.switches = read_switches(file, group + "/switches");
  stage.restarts = read_restarts(file, group + "/restart");
  return stage;
}

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

TrainingState read_state(InputFile& file, Index degree) {
  TrainingState state;
  const std::string group = "/checkpoint";
  state.outcome = read_outcome(file, "/");
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
    state.trajectory.stages.push_back(read_stage(file, stage_group(size(k)), *start));
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

double read_scalar(InputFile& file, const std::string& name) {
  const auto value = file.reals(name, Shape{});
  return value ? value->front() : 0.0;
}

Baselines read_baselines(InputFile& file, const std::string& group) {
  Baselines lines;
  lines.gih_loss = read_scalar(file, group + "/gih_loss");
  lines.gih_loss_error = read_scalar(file, group + "/gih_loss_standard_error");
  if (file.has(group + "/posterior_loss")) {
    lines.posterior_loss = read_scalar(file, group + "/posterior_loss");
    lines.posterior_loss_error = read_scalar(file, group + "/posterior_loss_standard_error");
  }
  lines.entropy_floor = read_scalar(file, group + "/entropy_floor");
  lines.entropy_floor_error = read_scalar(file, group + "/entropy_floor_standard_error");
  return lines;
}

StandardErrors read_standard_errors(InputFile& file, const Parameters& shape) {
  const std::string group = "/standard_errors";
  StandardErrors errors;
  errors.loss = read_scalar(file, group + "/loss");
  errors.c =
      file.reals(group + "/c", Shape{shape.log_c_squared.size()}).value_or(std::vector<double>());
  errors.w = file.reals(group + "/w", Shape{size(shape.heads), size(shape.window)})
                 .value_or(std::vector<double>());
  errors.a = read_scalar(file, group + "/a");
  return errors;
}

std::vector<ProcessRecord> read_processes(InputFile& file, const std::string& group) {
  std::vector<ProcessRecord> processes;
  if (!file.has(group)) return processes;
  const auto started = file.texts(group + "/started");
  if (!started) return processes;
  processes.resize(started->size());
  const auto texts = [&](const char* name, std::string ProcessRecord::*field) {
    const std::string path = fmt::format("{}/{}", group, name);
    const auto values = file.texts(path);
    if (values && values->size() != processes.size()) {
      file.fault(fmt::format("{} has {} entries: must be one for each process, {}", path,
                             values->size(), processes.size()));
    } else if (values) {
      for (std::size_t k = 0; k < processes.size(); ++k) processes[k].*field = (*values)[k];
    }
  };
  const auto integers = [&](const char* name, Index ProcessRecord::*field) {
    const auto values = file.integers(fmt::format("{}/{}", group, name), Shape{processes.size()});
    if (!values) return;
    for (std::size_t k = 0; k < processes.size(); ++k) processes[k].*field = (*values)[k];
  };
  texts("started", &ProcessRecord::started);
  texts("finished", &ProcessRecord::finished);
  texts("host", &ProcessRecord::host);
  texts("command_line", &ProcessRecord::command_line);
  texts("program_version", &ProcessRecord::program_version);
  texts("git_commit", &ProcessRecord::git_commit);
  texts("instruction_set", &ProcessRecord::instruction_set);
  integers("threads", &ProcessRecord::threads);
  integers("steps", &ProcessRecord::steps);
  integers("rhs_evaluations", &ProcessRecord::rhs_evaluations);
  if (const auto wall = file.reals(group + "/wall_seconds", Shape{processes.size()})) {
    for (std::size_t k = 0; k < processes.size(); ++k) processes[k].wall_seconds = (*wall)[k];
  }
  return processes;
}

Execution read_execution(InputFile& file) {
  const std::string group = "/execution";
  const auto text = [&](const char* name) { return file.text_attribute(group, name).value_or(""); };
  const auto seconds = [&](const char* name) {
    return file.real_attribute(group, name).value_or(0.0);
  };
  Execution execution;
  execution.host = text("host");
  execution.device = text("device");
  execution.threads = read_count(file, group, "threads");
  execution.command_line = text("command_line");
  execution.output = text("output");
  execution.started = text("started");
  execution.finished = text("finished");
  execution.compiler = text("compiler");
  execution.compiler_flags = text("compiler_flags");
  execution.instruction_set = text("instruction_set");
  execution.library_versions = text("library_versions");
  execution.checkpoints = read_count(file, group, "checkpoints");
  execution.wall_seconds = seconds("wall_seconds");
  execution.statistics_seconds = seconds("statistics_seconds");
  execution.flow_seconds = seconds("flow_seconds");
  execution.report_seconds = seconds("report_seconds");
  execution.processes = read_processes(file, group + "/processes");
  return execution;
}

}  // namespace

void write_run(OutputFile& file, const RunFile& run) {
  write_image(file, [&](Image& image) {
    const Parameters& start = run.state.start;
    image.attribute("/", "schema_version", static_cast<Index>(run.schema_version));
    write_provenance(image, run.provenance);
    image.attribute("/", "outcome", to_string(run.state.outcome));
    image.attribute("/", "tokens_hash", run.tokens_hash);
    if (!run.validation_hash.empty()) {
      image.attribute("/", "validation_tokens_hash", run.validation_hash);
    }
    image.attribute("/", "vocabulary_size", run.vocabulary);
    image.attribute("/", "degree", start.degree);
    write_parameter_axes(image, start);
    image.dataset<std::int64_t>(
        "/lag", run.lags, {size(start.heads), size(start.window)},
        {"1", "lag that a component of a head's window looks at", {"/head", "/component"}});
    for (std::size_t k = 0; k < run.state.trajectory.stages.size(); ++k) {
      write_stage(image, stage_group(k), run.state.trajectory.stages[k], start,
                  !run.validation_hash.empty());
    }
    image.group("/initial");
    write_parameters_into(image, "/initial", run.state.initial);
    image.group("/final");
    write_parameters_into(image, "/final", last_parameters(run.state));
    if (run.baselines) {
      image.group("/baselines");
      image.attribute("/baselines", "lags", run.baselines->lags);
      write_baselines(image, "/baselines/training", run.baselines->training);
      if (run.baselines->validation) {
        write_baselines(image, "/baselines/validation", *run.baselines->validation);
      }
    }
    if (run.standard_errors) write_standard_errors(image, *run.standard_errors, start);
    write_checkpoint(image, run.state);
    write_execution(image, run.execution);
  });
}

RunFile read_run(const std::string& path) {
  InputFile file(path);
  RunFile run;
  if (!file.has_attribute("/", "schema_version") || !file.has("/checkpoint")) {
    throw InputError(path + ": is not a run file; must be one that gihflow train wrote");
  }
  const auto version = file.integer_attribute("/", "schema_version", "an integer");
  if (version && (*version < 1 || *version > run_schema_version)) {
    throw InputError(
        fmt::format("{}: schema_version {}: must be from 1 to {}, what this program knows", path,
                    *version, run_schema_version));
  }
  run.schema_version = static_cast<int>(version.value_or(run_schema_version));
  run.provenance = read_provenance(file);
  run.tokens_hash = file.text_attribute("/", "tokens_hash").value_or("");
  if (file.has_attribute("/", "validation_tokens_hash")) {
    run.validation_hash = file.text_attribute("/", "validation_tokens_hash").value_or("");
  }
  run.vocabulary = read_count(file, "/", "vocabulary_size");
  run.state = read_state(file, read_count(file, "/", "degree"));
  const Parameters& start = run.state.start;
  file.finish();
  if (read_parameters_from(file, "/final", start.degree) != last_parameters(run.state)) {
    file.fault("is damaged: /final must hold the parameters of the last output");
  }
  run.lags = file.integers("/lag", Shape{size(start.heads), size(start.window)})
                 .value_or(std::vector<std::int64_t>());
  if (file.has("/baselines")) {
    RunBaselines baselines;
    baselines.lags =
        file.integers_attribute("/baselines", "lags", "lags").value_or(std::vector<Index>());
    baselines.training = read_baselines(file, "/baselines/training");
    if (file.has("/baselines/validation")) {
      baselines.validation = read_baselines(file, "/baselines/validation");
    }
    run.baselines = std::move(baselines);
  }
  if (file.has("/standard_errors")) run.standard_errors = read_standard_errors(file, start);
  run.execution = read_execution(file);
  file.finish();
  return run;
}

}  // namespace gihflow
