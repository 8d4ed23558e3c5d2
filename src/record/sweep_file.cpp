#include "gihflow/record/sweep_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <span>

#include "gihflow/base/subsets.hpp"
#include "gihflow/base/version.hpp"
#include "record/fields.hpp"
#include "record/hdf5_objects.hpp"
#include "record/parameter_record.hpp"
#include "record/provenance.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::Shape;

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

bool is_absent(const RecordValue& value) {
  return std::holds_alternative<std::monostate>(value);
}

// The first value that is not absent.
RecordValue example(const TableColumn& column) {
  const auto found = std::find_if_not(column.values.begin(), column.values.end(), is_absent);
  return found == column.values.end() ? RecordValue(absent) : *found;
}

double as_real(const RecordValue& value) {
  return std::visit(
      []<class T>(const T& x) {
        if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(x);
        return absent;
      },
      value);
}

hsize_t entries(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
}

// Paths of the dimension scales of a dataset: `first`, then those of `axes` in the group `place`,
// "" for the root.
std::vector<std::string> scales_in(const std::string& place, const char* axes,
                                   std::vector<std::string> first) {
  const std::size_t given = first.size();
  std::vector<std::string> scales = scales_of(axes, std::move(first));
  for (std::size_t i = given; i < scales.size(); ++i) scales[i] = place + scales[i];
  return scales;
}

bool same_shape(const Parameters& a, const Parameters& b) {
  return a.heads == b.heads && a.window == b.window && a.degree == b.degree &&
         a.vocabulary() == b.vocabulary();
}

class SweepWriter {
 public:
  SweepWriter(Image& image, const SweepFile& contents) : image_(image), contents_(contents) {}

  void write() {
    image_.attribute("/", "program", "gihflow");
    image_.attribute("/", "program_version", version());
    image_.attribute("/", "git_commit", git_commit());
    image_.attribute("/", "plan", contents_.plan);
    if (contents_.shape.heads > 0) write_parameter_axes(image_, contents_.shape, "");
    const std::size_t rows = contents_.columns.front().values.size();
    image_.counting_scale("/row", 1, rows, "run");
    for (const TableColumn& column : contents_.columns) write(column, rows);
    for (const Ensemble& ensemble : contents_.ensembles) write(ensemble);
  }

 private:
  void write(const TableColumn& column, std::size_t rows) {
    const std::string path = "/" + column.name;
    const hdf5::Meaning meaning{column.units, column.meaning,
                                scales_in("", column.axes.c_str(), {"/row"})};
    const RecordValue first = example(column);
    const bool whole = std::none_of(column.values.begin(), column.values.end(), is_absent);
    if (std::holds_alternative<std::string>(first)) {
      std::vector<std::string> texts;
      for (const RecordValue& value : column.values) {
        texts.push_back(is_absent(value) ? "" : std::get<std::string>(value));
      }
      image_.texts(path, texts, column.meaning, "/row");
    } else if (std::holds_alternative<std::vector<double>>(first)) {
      const Shape shape = file_shape(column.axes.c_str(), contents_.shape, {rows});
      std::vector<double> numbers;
      for (const RecordValue& value : column.values) {
        const auto* row = std::get_if<std::vector<double>>(&value);
        const std::vector<double> none(entries(shape) / rows, absent);
        numbers.insert(numbers.end(), row ? row->begin() : none.begin(),
                       row ? row->end() : none.end());
      }
      image_.dataset<double>(path, numbers, shape, meaning);
    } else if (std::holds_alternative<Index>(first) && whole) {
      std::vector<Index> numbers;
      for (const RecordValue& value : column.values) numbers.push_back(std::get<Index>(value));
      image_.dataset<Index>(path, numbers, {rows}, meaning);
    } else {
      std::vector<double> numbers;
      for (const RecordValue& value : column.values) numbers.push_back(as_real(value));
      image_.dataset<double>(path, numbers, {rows}, meaning);
    }
  }

  void write(const Ensemble& ensemble) {
    const std::string group = fmt::format("/point_{}", ensemble.point);
    image_.group(group);
    for (const auto& [name, value] : ensemble.options) {
      write_attribute(image_, group, name.c_str(), value);
    }
    std::string place;  // group of the scales
    if (!same_shape(ensemble.shape, contents_.shape)) {
      place = group;
      write_parameter_axes(image_, ensemble.shape, place);
    }
    for (std::size_t k = 0; k < ensemble.stages.size(); ++k) {
      write(ensemble.stages[k], fmt::format("{}/stage_{}", group, k + 1), place, ensemble.shape);
    }
  }

  void write(const EnsembleStage& stage, const std::string& group, const std::string& place,
             const Parameters& shape) {
    image_.group(group);
    image_.attribute(group, "trained", stage.stage.blocks.text());
    image_.attribute(group, "duration", stage.stage.duration);
    const std::string t = group + "/t";
    image_.dataset<double>(t, stage.t, {stage.t.size()},
                           {"flow time", "flow time since the start of the stage", {}});
    image_.make_scale(t);
    const std::string levels = group + "/quantile";
    image_.dataset<double>(levels, quantile_levels, {std::size(quantile_levels)},
                           {"1", "level of a quantile over replicas", {}});
    image_.make_scale(levels);
    image_.dataset<Index>(group + "/replicas", stage.replicas, {stage.t.size()},
                          {"1", "runs that recorded the time", {t}});
    for (const EnsembleColumn& column : stage.columns) {
      const Description& quantity = column.quantity;
      const std::string path = fmt::format("{}/{}", group, quantity.name);
      const std::string meaning = quantity.meaning;
      Shape sizes = file_shape(quantity.axes, shape, {stage.t.size()});
      std::vector<std::string> scales = scales_in(place, quantity.axes, {t});
      image_.dataset<double>(path + "_mean", column.mean, sizes,
                             {quantity.units, meaning + ", mean over replicas", scales});
      image_.dataset<double>(
          path + "_deviation", column.deviation, sizes,
          {quantity.units, meaning + ", standard deviation over replicas", scales});
      sizes.insert(sizes.begin(), std::size(quantile_levels));
      scales.insert(scales.begin(), levels);
      image_.dataset<double>(path + "_quantile", column.quantiles, sizes,
                             {quantity.units, meaning + ", quantile over replicas", scales});
    }
  }

  Image& image_;
  const SweepFile& contents_;
};

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string cell(double number) {
  return std::isnan(number) ? "" : fmt::format("{}", number);
}

std::string cell(const RecordValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* number = std::get_if<double>(&value)) return cell(*number);
  if (is_absent(value)) return "";
  return std::visit(
      []<class T>(const T& x) {
        if constexpr (std::is_arithmetic_v<T>) return fmt::format("{}", x);
        return std::string();
      },
      value);
}

// "p{1,2}" for subsets, "w[1,3]" for other axes, with indices from 1.
std::vector<std::string> labels(const TableColumn& column, const Parameters& shape) {
  std::vector<std::string> names{column.name};
  if (column.axes == "S") {
    names.clear();
    for (const std::uint32_t mask : subsets(shape.heads, shape.degree)) {
      names.push_back(column.name + to_string_subset(mask));
    }
  } else if (!column.axes.empty()) {
    names.clear();
    for (const std::string& place : hdf5::places(file_shape(column.axes.c_str(), shape)))
      names.push_back(column.name + place);
  }
  return names;
}

}  // namespace

void write_sweep(OutputFile& file, const SweepFile& contents) {
  write_image(file, [&](Image& image) { SweepWriter(image, contents).write(); });
}

void write_csv(OutputFile& file, const SweepFile& contents) {
  std::vector<std::string> cells;
  std::vector<std::size_t> widths;
  for (const TableColumn& column : contents.columns) {
    const std::vector<std::string> names = labels(column, contents.shape);
    widths.push_back(names.size());
    for (const std::string& name : names) cells.push_back(quoted(name));
  }
  std::string text = fmt::format("{}\n", fmt::join(cells, ","));
  for (std::size_t row = 0; row < contents.columns.front().values.size(); ++row) {
    cells.clear();
    for (std::size_t i = 0; i < contents.columns.size(); ++i) {
      const RecordValue& value = contents.columns[i].values[row];
      if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
        for (const double number : *numbers) cells.push_back(cell(number));
      } else if (is_absent(value)) {
        cells.insert(cells.end(), widths[i], "");
      } else {
        cells.push_back(cell(value));
      }
    }
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  file.replace(std::as_bytes(std::span(text)));
}

}  // namespace gihflow
