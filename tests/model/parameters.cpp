#include "gihflow/model/parameters.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/input_errors.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

TEST_CASE("the initial point puts each head on its own lag") {
  Model model;
  Parameters point = initial_parameters(model, {});
  CHECK(point.w == std::vector<double>{3, .01, .01, .01, 3, .01, .01, .01, 3});
  CHECK(point.a == 0.01);
  CHECK(point.c_sign == std::vector<int>(7, 1));
  for (double c : point.c()) CHECK(close(c, 0.01, 4.0));
  // C_D = 7·10⁻⁴ in the paper's setting, theory (3.4).
  CHECK(close(std::exp(point.log_normalizer()), 7e-4, 32.0));
  for (double p : point.p()) CHECK(close(p, 1.0 / 7.0, 4.0));

  model.head_windows = HeadWindows::shifted;
  // Shifted windows start at the head's own lag.
  CHECK(initial_parameters(model, {.w_other = 0.1}).w ==
        std::vector<double>{3, .1, .1, 3, .1, .1, 3, .1, .1});
}

TEST_CASE("shared windows refuse more heads than lags") {
  Model model{.window = 2, .heads = 3};
  std::string error = testing::input_error([&] { initial_parameters(model, {}); });
  CHECK(error.find("heads 3") == 0);
  CHECK(error.find("window = 2") != std::string::npos);
}

TEST_CASE("coefficients survive where c underflows") {
  Parameters point;
  point.set_c(std::vector<double>{-2.0, 0.0, 0.5});
  CHECK(point.c_sign == std::vector<int>{-1, 0, 1});
  CHECK(close(point.c()[0], -2.0, 4.0));
  CHECK(point.c()[1] == 0.0);
  CHECK(point.p()[1] == 0.0);
  CHECK(close(point.p()[0], 4.0 / 4.25, 8.0));
  point.log_c_squared = {-15000.0, -std::numeric_limits<double>::infinity(), -15000.0};
  CHECK(point.c()[0] == 0.0);
  CHECK(close(point.p()[0], 0.5, 4.0));
  CHECK(close(point.log_normalizer(), -15000.0 + std::log(2.0), 4.0));
}

TEST_CASE("softmax and logsumexp at the ends of the range") {
  std::vector<double> far{1000.0, 0.0, -1e8};
  CHECK(softmax(far) == std::vector<double>{1.0, 0.0, 0.0});
  CHECK(logsumexp(far) == 1000.0);
}

TEST_CASE("what the flow conserves of matrices, by hand") {
  Parameters x;
  x.heads = 2;
  x.query = {1, 2, 3, 4, 0, 0, 1, 0};
  x.key = {0, 1, 2, 0, 1, 2, 3, 4};
  x.value = {1, 2, 30, 40, 5, 6, 70, 80};
  // QᵀQ = (10 14; 14 20) and (1 0; 0 0), KᵀK = (4 0; 0 1) and (10 14; 14 20).
  CHECK(x.balancedness() == std::vector<double>{6, 14, 14, 19, -9, -14, -14, -20});
  CHECK(x.key_sum() == std::vector<double>{2, 1, 4, 6});
  CHECK(x.value_sum() == std::vector<double>{3, 70, 11, 150});
  const Parameters paper = initial_parameters({}, {});
  CHECK(paper.balancedness().empty());
  CHECK(paper.key_sum().empty());
  CHECK(paper.value_sum().empty());
}

TEST_CASE("given parameters are checked against the model") {
  Model model;
  Parameters point = initial_parameters(model, {});
  CHECK(parameter_errors(point, model, "file").empty());
  point.a = std::numeric_limits<double>::quiet_NaN();
  point.w[3] = std::numeric_limits<double>::infinity();
  point.degree = 1;
  point.set_c(std::vector<double>(7, 0.0));
  const auto errors = testing::sentences(parameter_errors(point, model, "file"));
  REQUIRE(errors.size() == 4);
  CHECK(errors[0] == "file: degree is 1, the model has 2");
  CHECK(errors[1].find("all c are zero") != std::string::npos);
  CHECK(errors[2].find("w holds a value that is not finite") != std::string::npos);
  CHECK(errors[3].find("a is not finite") != std::string::npos);
}
