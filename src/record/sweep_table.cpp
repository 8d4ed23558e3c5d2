#include "gihflow/record/sweep_table.hpp"

#include <algorithm>
#include <cstdint>

#include "gihflow/base/subsets.hpp"
#include "gihflow/record/schema.hpp"
#include "record/hdf5_objects.hpp"
#include "record/input_file.hpp"

namespace gihflow {

namespace {

// Names of the sets of heads in the rows of /subsets.
std::vector<std::string> set_names(hdf5::InputFile& file) {
  std::vector<std::string> names;
  const auto sets = file.dataset("/subsets", hdf5::Numbers::codes, "sets of heads");
  if (!sets || sets->shape.size() != 2) return names;
  const auto members = file.integers(*sets);
  if (!members) return names;
  const std::size_t heads = sets->shape[1];
  if (heads > static_cast<std::size_t>(most_elements)) return names;
  for (std::size_t s = 0; s < sets->shape[0]; ++s) {
    std::uint32_t mask = 0;
    for (std::size_t h = 0; h < heads; ++h)
      if ((*members)[s * heads + h] != 0) mask |= std::uint32_t{1} << h;
    names.push_back(to_string_subset(mask));
  }
  return names;
}

// Names of the entries of a row: sets if the axis is that of subsets, else indices from 1.
std::vector<std::string> entry_names(const hdf5::Shape& shape, const std::vector<std::string>& sets,
                                     const std::string& axes) {
  if (shape.size() == 1) return {""};
  if (axes == "S" && shape.size() == 2 && shape[1] == sets.size()) return sets;
  return hdf5::places({shape.begin() + 1, shape.end()});
}

const hdf5::InputObject::Attribute* attribute(const hdf5::InputObject& object,
                                              const std::string& name) {
  const auto found = std::find_if(object.attributes.begin(), object.attributes.end(),
                                  [&](const auto& one) { return one.name == name; });
  return found == object.attributes.end() ? nullptr : &*found;
}

// The axes of a recorded column; empty for other datasets.
std::string axes_of(const std::string& name) {
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.in_runs() && name == column.name) return column.axes;
  }
  return "";
}

std::optional<ReadColumn> read_column(hdf5::InputFile& file, const hdf5::InputObject& object,
                                      std::size_t rows, const std::vector<std::string>& sets) {
  ReadColumn column;
  column.name = object.path.substr(1);
  if (const auto* meaning = attribute(object, "long_name")) column.meaning = meaning->text;
  if (const auto* units = attribute(object, "units")) column.units = units->text;
  const bool words = object.type.starts_with("texts");
  const auto dataset = file.dataset(
      object.path, words ? hdf5::Numbers::texts : hdf5::Numbers::reals, "a column of the table");
  if (!dataset || dataset->shape.empty() || dataset->shape.front() != rows) return std::nullopt;
  const std::string axes = axes_of(column.name);
  if (dataset->shape.size() != axes.size() + 1) return std::nullopt;
  if (words) {
    auto texts = file.texts(*dataset);
    if (!texts) return std::nullopt;
    column.texts = std::move(*texts);
  } else {
    auto numbers = file.reals(*dataset);
    if (!numbers) return std::nullopt;
    column.numbers = std::move(*numbers);
  }
  column.entries = entry_names(dataset->shape, sets, axes);
  return column;
}

}  // namespace

std::optional<SweepTable> read_sweep_table(const std::string& path, Isolation isolation) {
  hdf5::InputFile file(path, isolation);
  if (!file.has_attribute("/", "plan") || !file.has("/row")) return std::nullopt;
  SweepTable table;
  table.plan = file.text_attribute("/", "plan").value_or("");
  table.program_version = file.text_attribute("/", "program_version").value_or("");
  table.git_commit = file.text_attribute("/", "git_commit").value_or("");
  const auto row = file.dataset("/row", hdf5::Numbers::reals, "numbers of rows");
  if (row) table.rows = row->entries();
  const std::vector<std::string> sets =
      file.has("/subsets") ? set_names(file) : std::vector<std::string>();
  for (const hdf5::InputObject& object : file.objects()) {
    const bool in_root = object.path.find('/', 1) == std::string::npos;
    if (object.kind != "dataset" || !in_root || attribute(object, "CLASS") != nullptr) continue;
    if (auto column = read_column(file, object, table.rows, sets))
      table.columns.push_back(std::move(*column));
  }
  file.finish();
  if (table.rows == 0 || table.columns.empty()) {
    file.fault("is a file of many runs without a row");
    file.finish();
  }
  return table;
}

}  // namespace gihflow
