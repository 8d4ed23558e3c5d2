#include "record/restart_record.hpp"

#include "record/fields.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;
using hdf5::Numbers;

constexpr std::ptrdiff_t first_reals = 2, first_integers = 1;  // t, dt; next_output

}  // namespace

FlatRecord flatten(const RestartPoint& point) {
  FlatRecord row = flatten(point.stepper);
  const FlatRecord statistics = flatten(point.statistics);
  row.reals.insert(row.reals.begin() + first_reals, point.gauge_drift);
  row.integers.insert(row.integers.begin() + first_integers, statistics.integers.begin(),
                      statistics.integers.end());
  return row;
}

void write_restarts(Image& image, const std::string& group,
                    const std::vector<RestartPoint>& points) {
  if (points.empty()) return;
  image.group(group);
  const StepperState& first = points.front().stepper;
  std::vector<double> reals;
  std::vector<Index> integers;
  for (const RestartPoint& point : points) {
    const FlatRecord row = flatten(point);
    reals.insert(reals.end(), row.reals.begin(), row.reals.end());
    integers.insert(integers.end(), row.integers.begin(), row.integers.end());
  }
  const std::size_t n = points.size(), width = reals.size() / n;
  const std::size_t before = static_cast<std::size_t>(first_reals) + 1 + first.x.size();
  image.attribute(group, "x_size", static_cast<Index>(first.x.size()));
  image.attribute(group, "slope_size", static_cast<Index>(slope_size(first)));
  image.attribute(group, "memory_size", static_cast<Index>(width - before - slope_size(first)));
  image.counting_scale(group + "/point", 1, n, "state to restart from");
  image.counting_scale(group + "/real", 0, width, "t, dt, gauge_drift, x, slope, memory");
  image.counting_scale(group + "/integer", 0, integers.size() / n,
                       "next_output, statistics, counters");
  image.dataset<double>(group + "/reals", reals, {n, width},
                        {"1", "states of the integrator", {group + "/point", group + "/real"}});
  image.dataset<Index>(group + "/integers", integers, {n, integers.size() / n},
                       {"1", "counts at these states", {group + "/point", group + "/integer"}});
}

std::vector<RestartPoint> read_restarts(InputFile& file, const std::string& group) {
  std::vector<RestartPoint> points;
  if (!file.has(group)) return points;
  const auto reals = file.dataset(group + "/reals", Numbers::reals, "numbers of each point");
  const auto integers =
      file.dataset(group + "/integers", Numbers::integers, "counts of each point");
  const auto size_of = [&](const char* name) {
    return static_cast<std::size_t>(read_count(file, group, name));
  };
  const std::size_t x = size_of("x_size"), slope = size_of("slope_size"),
                    memory = size_of("memory_size");
  if (!reals || !integers || file.faulty()) return points;
  const std::size_t width = reals->shape.size() == 2 ? reals->shape[1] : 0;
  const std::size_t counts = fields<StepStatistics>().size();
  const bool fits = integers->shape.size() == 2 && integers->shape[0] == reals->shape[0] &&
                    integers->shape[1] >= 1 + counts && x <= width && slope <= width &&
                    memory <= width && 3 + x + slope + memory == width;
  if (!fits) {
    file.fault(fmt::format("{} has tables of shapes {} and {}: must be those of its sizes", group,
                           hdf5::to_string(reals->shape), hdf5::to_string(integers->shape)));
    return points;
  }
  const auto all_reals = file.reals(*reals);
  const auto all_integers = file.integers(*integers);
  if (!all_reals || !all_integers) return points;
  for (std::size_t k = 0; k < reals->shape[0]; ++k) {
    const auto real = std::span(*all_reals).subspan(k * width, width);
    const auto integer =
        std::span(*all_integers).subspan(k * integers->shape[1], integers->shape[1]);
    const auto method = integer.subspan(1 + counts);
    RestartPoint point;
    point.stepper.active = true;
    point.stepper.next_output = integer.front();
    point.stepper.t = real[0];
    point.stepper.dt = real[1];
    point.gauge_drift = real[2];
    point.stepper.x.assign(real.begin() + 3, real.begin() + 3 + static_cast<std::ptrdiff_t>(x));
    for (std::size_t i = 0; i < counts; ++i)
      fields<StepStatistics>()[i].set(point.statistics, integer[1 + i]);
    if (!restore_method(point.stepper, real.subspan(3 + x), method, slope)) {
      file.fault(group + ": its rows must be states of the flow or of gradient descent");
      return points;
    }
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace gihflow
