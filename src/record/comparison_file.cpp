#include "gihflow/record/comparison_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "record/fields.hpp"
#include "record/parameter_record.hpp"
#include "record/provenance.hpp"

namespace gihflow {

namespace {

using hdf5::Image;
using hdf5::Shape;

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

// The datasets of one stage: numbers at each time, of the flow or of every learning rate.
class StageWriter {
 public:
  StageWriter(Image& image, std::string group, const ComparedStage& stage)
      : image_(image), group_(std::move(group)), stage_(stage) {}

  void write() {
    image_.group(group_);
    attributes();
    const std::string t = group_ + "/t";
    image_.dataset<double>(t, stage_.t, {times()},
                           {"flow time", "flow time since the start of the stage", {}});
    image_.make_scale(t);
    image_.dataset<double>(group_ + "/sharpness", stage_.sharpness, {times()},
                           {"1", "largest eigenvalue of the Hessian along the flow", {t}});
    trajectories();
    distances("distance", "descent - flow", &ComparedRate::to_flow);
    distances("modified_distance", "descent - modified flow", &ComparedRate::to_modified);
    growths();
  }

 private:
  hsize_t times() const { return stage_.t.size(); }
  hsize_t rates() const { return stage_.rates.size(); }

  void attributes() {
    image_.attribute(group_, "trained", stage_.stage.blocks.text());
    image_.attribute(group_, "duration", stage_.stage.duration);
    image_.attribute(group_, "outcome", to_string(stage_.flow_outcome));
    image_.attribute(group_, "fit_begin", stage_.fit_begin);
    image_.attribute(group_, "fit_end", stage_.fit_end);
    if (stage_.to_flow.order) image_.attribute(group_, "order", *stage_.to_flow.order);
    if (stage_.to_modified.order) {
      image_.attribute(group_, "modified_order", *stage_.to_modified.order);
    }
  }

  // Appends one row of `width` numbers per compared time, NaN for times that were not reached.
  template <class Rows, class Get>
  void append(std::vector<double>& values, const Rows& rows, hsize_t width, Get get) const {
    for (std::size_t i = 0; i < times(); ++i) {
      if (i < rows.size()) {
        const std::vector<double> row = get(rows[i]);
        values.insert(values.end(), row.begin(), row.end());
      } else {
        values.insert(values.end(), width, absent);
      }
    }
  }

  void trajectory(const SnapshotColumn& column, const Parameters& parameters) {
    Shape shape = file_shape(column.axes, parameters);
    const hsize_t numbers =
        std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
    shape.insert(shape.begin(), times());
    const std::string t = group_ + "/t";
    const std::string meaning = column.meaning;
    std::vector<double> flow;
    append(flow, stage_.flow, numbers, column.get);
    image_.dataset<double>(
        fmt::format("{}/flow_{}", group_, column.name), flow, shape,
        {column.units, meaning + " along the flow", scales_of(column.axes, {t})});
    shape.insert(shape.begin(), rates());
    std::vector<double> descent;
    for (const ComparedRate& rate : stage_.rates)
      append(descent, rate.descent, numbers, column.get);
    image_.dataset<double>(fmt::format("{}/descent_{}", group_, column.name), descent, shape,
                           {column.units, meaning + " along gradient descent",
                            scales_of(column.axes, {"/learning_rate", t})});
  }

  void trajectories() {
    for (const SnapshotColumn& column : snapshot_columns()) {
      const Parameters& shape = stage_.flow.front().parameters;
      if (column.in_comparisons() && column.is_of(shape)) trajectory(column, shape);
    }
  }

  template <class Rows, class Get>
  void per_rate(const std::string& name, const char* units, const std::string& meaning,
                Rows ComparedRate::*rows, Get get) {
    std::vector<double> values;
    for (const ComparedRate& rate : stage_.rates) {
      append(values, rate.*rows, 1, [&](const auto& row) { return std::vector<double>{get(row)}; });
    }
    image_.dataset<double>(fmt::format("{}/{}", group_, name), values, {rates(), times()},
                           {units, meaning, {"/learning_rate", group_ + "/t"}});
  }

  void distances(const std::string& name, const std::string& what,
                 std::vector<BlockDistance> ComparedRate::*rows) {
    const auto one = [&](const std::string& block, const char* units, auto number) {
      per_rate(fmt::format("{}_{}", name, block), units,
               fmt::format("distance of {}: {}", what, block), rows, number);
    };
    for (std::size_t k = 0; k < stage_.letters.size(); ++k)
      one(stage_.letters.substr(k, 1), "1", [k](const BlockDistance& d) { return d.blocks[k]; });
    one("all", "1", [](const BlockDistance& d) { return d.all; });
    one("loss", "nats", [](const BlockDistance& d) { return d.loss; });
  }

  void growths() {
    const auto same = [](double x) { return x; };
    per_rate("growth", "1", "log C_D(t) - log C_D(0) of gradient descent", &ComparedRate::growth,
             same);
    per_rate("modified_growth", "1", "log C_D(t) - log C_D(0) of the modified flow",
             &ComparedRate::modified_growth, same);
    std::vector<double> errors, leaves;
    for (const ComparedRate& rate : stage_.rates) {
      errors.push_back(rate.growth_error);
      leaves.push_back(rate.leaves_at.value_or(absent));
    }
    image_.dataset<double>(
        group_ + "/growth_error", errors, {rates()},
        {"1", "largest error in log C_D of its growth by steps", {"/learning_rate"}});
    image_.dataset<double>(
        group_ + "/leaves_at", leaves, {rates()},
        {"flow time",
         "first time at which the learning rate is not below 2 / sharpness, if any",
         {"/learning_rate"}});
  }

  Image& image_;
  std::string group_;
  const ComparedStage& stage_;
};

}  // namespace

void write_comparison(OutputFile& file, const ComparisonFile& contents) {
  write_image(file, [&](Image& image) {
    const std::vector<ComparedStage>& stages = contents.comparison.stages;
    write_provenance(image, contents.provenance);
    image.attribute("/", "tokens_hash", contents.tokens_hash);
    if (stages.empty() || stages.front().flow.empty()) return;
    const Parameters& shape = stages.front().flow.front().parameters;
    image.attribute("/", "degree", shape.degree);
    write_parameter_axes(image, shape);
    std::vector<double> rates;
    for (const ComparedRate& rate : stages.front().rates) rates.push_back(rate.learning_rate);
    image.dataset<double>("/learning_rate", rates, {rates.size()},
                          {"flow time", "learning rate of gradient descent", {}});
    image.make_scale("/learning_rate");
    for (std::size_t k = 0; k < stages.size(); ++k) {
      if (!stages[k].flow.empty()) {
        StageWriter(image, fmt::format("/stage_{}", k + 1), stages[k]).write();
      }
    }
  });
}

}  // namespace gihflow
