#include "gihflow/record/comparison_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "record/input_file.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using gihflow::hdf5::InputFile;
using gihflow::hdf5::Shape;
using gihflow::testing::Directory;

namespace {

Snapshot snapshot(double t, double a) {
  Snapshot point;
  point.t = t;
  point.parameters.window = 2;
  point.parameters.heads = 1;
  point.parameters.degree = 1;
  point.parameters.set_c(std::vector<double>{0.5, -1.0});
  point.parameters.w = {3.0, 0.01};
  point.parameters.a = a;
  point.loss = 1.0 - a;
  return point;
}

// Two times of one stage, at the second of which descent had ended.
ComparisonFile one_stage() {
  ComparisonFile file;
  file.provenance = {"0.1.0", "abc", "alpha = 0.1\n", 7};
  file.tokens_hash = "123";
  ComparedStage stage;
  stage.stage = {.blocks = "ca", .duration = 4.0};
  stage.letters = "cwa";
  stage.t = {0.0, 4.0};
  stage.flow = {snapshot(0.0, 0.25), snapshot(4.0, 0.5)};
  stage.sharpness = {2.0, 3.0};
  stage.fit_begin = 1;
  stage.fit_end = 2;
  stage.to_flow.order = 1.5;
  ComparedRate rate;
  rate.learning_rate = 0.5;
  rate.descent = {snapshot(0.0, 0.25)};
  rate.to_flow = {{.blocks = {0.1, 0.2, 0.3}, .all = 0.4, .loss = 0.5}};
  rate.growth = {0.0};
  rate.growth_error = 1e-9;
  rate.leaves_at = 4.0;
  stage.rates = {rate, rate};
  stage.rates[1].learning_rate = 0.25;
  stage.rates[1].leaves_at.reset();
  file.comparison.stages = {stage};
  return file;
}

void check_equal(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK((found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))));
  }
}

}  // namespace

TEST_CASE("a comparison file has the flow, each rate beside it, and NaN where a rate had ended") {
  const Directory directory;
  OutputFile output(directory / "compare.h5", false);
  write_comparison(output, one_stage());
  InputFile file(directory / "compare.h5", Isolation::in_process);
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const auto check = [&](const std::string& name, const Shape& shape,
                         const std::vector<double>& expected) {
    CAPTURE(name);
    const auto found = file.reals(name, shape);
    REQUIRE(found);
    check_equal(*found, expected);
  };
  CHECK(file.text_attribute("/", "tokens_hash") == "123");
  CHECK(file.text_attribute("/", "config") == "alpha = 0.1\n");
  CHECK(file.text_attribute("/stage_1", "trained") == "ca");
  CHECK(file.real_attribute("/stage_1", "order") == 1.5);
  CHECK(!file.has_attribute("/stage_1", "modified_order"));
  check("/learning_rate", {2}, {0.5, 0.25});
  check("/stage_1/t", {2}, {0.0, 4.0});
  check("/stage_1/sharpness", {2}, {2.0, 3.0});
  check("/stage_1/flow_a", {2}, {0.25, 0.5});
  check("/stage_1/flow_c", {2, 2}, {0.5, -1.0, 0.5, -1.0});
  check("/stage_1/flow_w", {2, 1, 2}, {3.0, 0.01, 3.0, 0.01});
  check("/stage_1/flow_log_normalizer", {2}, {std::log(1.25), std::log(1.25)});
  check("/stage_1/descent_a", {2, 2}, {0.25, none, 0.25, none});
  check("/stage_1/descent_loss", {2, 2}, {0.75, none, 0.75, none});
  check("/stage_1/distance_w", {2, 2}, {0.2, none, 0.2, none});
  check("/stage_1/distance_loss", {2, 2}, {0.5, none, 0.5, none});
  check("/stage_1/modified_distance_all", {2, 2}, {none, none, none, none});
  check("/stage_1/growth", {2, 2}, {0.0, none, 0.0, none});
  check("/stage_1/growth_error", {2}, {1e-9, 1e-9});
  check("/stage_1/leaves_at", {2}, {4.0, none});
  CHECK_NOTHROW(file.finish());
}

TEST_CASE("a comparison that was interrupted before its first point has no stage") {
  const Directory directory;
  ComparisonFile contents = one_stage();
  contents.comparison.stages.front().flow.clear();
  OutputFile output(directory / "compare.h5", false);
  write_comparison(output, contents);
  InputFile file(directory / "compare.h5", Isolation::in_process);
  CHECK(!file.has("/stage_1"));
  CHECK(file.text_attribute("/", "tokens_hash") == "123");
}
