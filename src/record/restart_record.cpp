#include "record/restart_record.hpp"

#include "record/fields.hpp"
#include "record/stepper_memory.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;

constexpr std::size_t fixed_reals = 3, fixed_integers = 7;

}  // namespace

std::vector<double> reals_of(const RestartPoint& point) {
  std::vector<double> row{point.stepper.t, point.stepper.dt, point.gauge_drift};
  const StepperMemory stored = memory_of(point.stepper);
  for (const auto* part : {&point.stepper.x, &stored.slope, &stored.memory}) {
    row.insert(row.end(), part->begin(), part->end());
  }
  return row;
}

std::vector<Index> integers_of(const RestartPoint& point) {
  std::vector<Index> row{point.stepper.next_output};
  describe([&](const Description&, Index count) { row.push_back(count); }, point.statistics);
  const std::vector<Index> counters = memory_of(point.stepper).counters;
  row.insert(row.end(), counters.begin(), counters.end());
  return row;
}

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

std::vector<RestartPoint> read_restarts(InputFile& file, const std::string& group) {
  std::vector<RestartPoint> points;
  if (!file.has(group)) return points;
  const auto reals = file.dataset(group + "/reals", hdf5::Numbers::reals, "numbers of each point");
  const auto integers =
      file.dataset(group + "/integers", hdf5::Numbers::integers, "counts of each point");
  const auto x_size = static_cast<std::size_t>(read_count(file, group, "x_size"));
  const auto slope_size = static_cast<std::size_t>(read_count(file, group, "slope_size"));
  const auto memory_size = static_cast<std::size_t>(read_count(file, group, "memory_size"));
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
    auto count = row;
    point.stepper.next_output = *count++;
    describe([&](const Description&, Index& member) { member = *count++; }, point.statistics);
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

}  // namespace gihflow
