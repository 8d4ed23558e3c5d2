#include "record/stage_record.hpp"

#include <cmath>
#include <limits>
#include <span>

#include "record/fields.hpp"
#include "record/parameter_record.hpp"
#include "record/restart_record.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::InputFile;

void write_column(Image& image, const std::string& group, const SnapshotColumn& column,
                  const StageRecord& stage, const Parameters& shape) {
  const std::string t = group + "/t", path = group + "/" + column.name;
  std::vector<double> values;
  for (const Snapshot& snapshot : stage.snapshots) {
    const std::vector<double> row = column.get(snapshot);
    values.insert(values.end(), row.begin(), row.end());
  }
  image.dataset<double>(path, values, file_shape(column.axes, shape, {stage.snapshots.size()}),
                        {column.units, column.meaning, scales_of(column.axes, {t})});
  if (path == t) image.make_scale(t);
}

void check_derived(InputFile& file, const std::string& group, const SnapshotColumn& column,
                   const std::vector<double>& given, const StageRecord& stage) {
  auto value = given.begin();
  for (std::size_t k = 0; k < stage.snapshots.size(); ++k) {
    for (const double expected : column.get(stage.snapshots[k])) {
      if (!agrees(*value, expected)) {
        file.fault(
            fmt::format("is damaged: {}/{} is {} in row {}: must be {}, which follows from {}",
                        group, column.name, *value, k, expected, column.follows_from));
        return;
      }
      ++value;
    }
  }
}

void read_snapshots(InputFile& file, const std::string& group, const Parameters& shape,
                    StageRecord& stage) {
  const auto t = read_list<double>(file, group + "/t");
  if (!t) return;
  const hsize_t times = t->size();
  std::vector<std::pair<const SnapshotColumn*, std::vector<double>>> columns;
  for (const SnapshotColumn& column : snapshot_columns()) {
    const std::string path = group + "/" + column.name;
    if (!column.in_runs() || !column.is_of(shape)) continue;
    const bool optional = column.added || column.files == RecordedIn::validated_runs;
    if (optional && !file.has(path)) continue;
    if (auto values = file.reals(path, file_shape(column.axes, shape, {times})))
      columns.emplace_back(&column, std::move(*values));
  }
  if (file.faulty()) return;
  Snapshot empty;
  empty.parameters = shape;
  empty.validation_loss = std::numeric_limits<double>::quiet_NaN();
  stage.snapshots.assign(times, empty);
  for (const auto& [column, values] : columns) {
    if (column->set == nullptr) continue;
    const std::size_t width = times == 0 ? 0 : values.size() / times;
    for (std::size_t k = 0; k < times; ++k)
      column->set(stage.snapshots[k], std::span(values).subspan(k * width, width));
  }
  for (const auto& [column, values] : columns) {
    if (*column->follows_from != '\0') check_derived(file, group, *column, values, stage);
  }
}

}  // namespace

std::string stage_group(std::size_t stage) {
  return fmt::format("/stage_{}", stage + 1);
}

void write_stage(Image& image, const std::string& group, const StageRecord& stage,
                 const Parameters& shape, bool has_validation) {
  image.group(group);
  write_attributes(image, group, stage);
  write_attributes(image, group, stage.statistics);
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.in_runs() && column.is_of(shape) &&
        (has_validation || column.files != RecordedIn::validated_runs))
      write_column(image, group, column, stage, shape);
  }
  write_table(image, group + "/switches", stage.switches, "switch", "change of method");
  write_restarts(image, group + "/restart", stage.restarts);
}

StageRecord read_stage(InputFile& file, const std::string& group, const Parameters& shape) {
  StageRecord stage;
  read_attributes(file, group, stage);
  read_attributes(file, group, stage.statistics);
  read_snapshots(file, group, shape, stage);
  stage.switches = read_table<IntegratorSwitch>(file, group + "/switches", "switch");
  stage.restarts = read_restarts(file, group + "/restart");
  return stage;
}

}  // namespace gihflow
