#include "gihflow/record/verification_file.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "record/input_file.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using gihflow::hdf5::InputFile;
using gihflow::testing::Directory;

TEST_CASE("a verification file has rows, curves and departures under what they are of") {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  Verification verification;
  verification.rows = {{.quantity = Quantity::gamma,
                        .subject = {.head = 1, .lag = 3},
                        .setting = "parents {1,2}",
                        .predicted = 0.5,
                        .measured = 0.25,
                        .difference = 0.5,
                        .tolerance = 0.01,
                        .passed = false,
                        .regime = "a small"},
                       {.quantity = Quantity::takeover_set,
                        .predicted = none,
                        .measured = none,
                        .passed = true,
                        .predicted_set = "{1,2}",
                        .measured_set = "{1}"}};
  verification.curves = {{Quantity::gamma,
                          {.head = 1, .lag = 3},
                          "parents {1,2}",
                          "x of it",
                          "y of it",
                          {1, 2},
                          {3, 4},
                          {5, 6}}};
  Prediction prediction;
  prediction.quantity = Quantity::growth_speed;
  prediction.sharp = 0.125;
  prediction.trained = none;
  prediction.regime = "somewhere";
  verification.departures = {{prediction, 0.75}};
  REQUIRE(!verification.passed());

  const Directory directory;
  OutputFile output(directory / "verify.h5", false);
  write_verification(output, verification, {"0.1.0", "abc", "seed = 3\n", 3});
  InputFile file(directory / "verify.h5", Isolation::in_process);
  const auto text = [&](const char* object, const char* name) {
    return file.text_attribute(object, name).value_or("missing");
  };
  CHECK(file.integer_attribute("/", "passed", "0 or 1") == 0);
  CHECK(text("/", "config") == "seed = 3\n");
  const char* row = "/comparisons/row_1";
  CHECK(text(row, "phase") == "II");
  CHECK(text(row, "name") == to_string(Quantity::gamma));
  CHECK(text(row, "head") == "2");
  CHECK(text(row, "lag") == "3");
  CHECK(!file.has_attribute(row, "set"));
  CHECK(text(row, "setting") == "parents {1,2}");
  CHECK(text(row, "quantity") == label(verification.rows[0]));
  CHECK(text(row, "regime") == "a small");
  CHECK(file.real_attribute(row, "predicted") == 0.5);
  CHECK(file.real_attribute(row, "measured") == 0.25);
  CHECK(file.real_attribute(row, "difference") == 0.5);
  CHECK(file.real_attribute(row, "tolerance") == 0.01);
  CHECK(file.integer_attribute(row, "passed", "0 or 1") == 0);
  CHECK(file.integer_attribute("/comparisons/row_2", "passed", "0 or 1") == 1);
  CHECK(text("/comparisons/row_2", "predicted_set") == "{1,2}");
  CHECK(text("/comparisons/row_2", "measured_set") == "{1}");
  CHECK(!file.has("/comparisons/row_3"));
  CHECK(file.reals("/curves/curve_1/x", {2}) == std::vector<double>{1, 2});
  CHECK(file.reals("/curves/curve_1/measured", {2}) == std::vector<double>{3, 4});
  CHECK(file.reals("/curves/curve_1/predicted", {2}) == std::vector<double>{5, 6});
  CHECK(text("/curves/curve_1", "head") == "2");
  CHECK(file.real_attribute("/departures/line_1", "sharp") == 0.125);
  CHECK(file.real_attribute("/departures/line_1", "measured") == 0.75);
  CHECK(text("/departures/line_1", "units") == units_of(Quantity::growth_speed));
  CHECK_NOTHROW(file.finish());
}
