#include "gihflow/record/parameter_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "record/raw_file.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;
using gihflow::testing::RawFile;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Parameters awkward_parameters() {
  Parameters p;
  p.window = 2;
  p.heads = 3;
  p.degree = 1;
  p.log_c_squared = {-15000.25, -0.5, -infinity, 1.0 / 3.0};  // the first underflows as c
  p.c_sign = {-1, 1, 0, -1};
  p.w = {3.0, 0.01, -1e3, 1e3, 1e-300, -0.0};
  p.a = -7.25;
  return p;
}

}  // namespace

TEST_CASE("parameters read back are the parameters written, underflow and signs included") {
  const Directory directory;
  OutputFile file(directory / "p.h5", false);
  write_parameters(file, awkward_parameters(), {});
  CHECK(read_parameters(directory / "p.h5") == awkward_parameters());
}

TEST_CASE("c alone is enough") {
  const Directory directory;
  {
    RawFile file(directory / "p.h5");
    file.integer_attribute("degree", {1});
    file.reals("c", {2}, {-0.5, 0.0});
    file.reals("w", {1, 2}, {1.0, 2.0});
    file.reals("a", {1}, {4.0});
  }
  const Parameters p = read_parameters(directory / "p.h5");
  CHECK(p.c_sign == std::vector<int>{-1, 0});
  CHECK(p.log_c_squared == std::vector<double>{2.0 * std::log(0.5), -infinity});
  CHECK(p.heads == 1);
  CHECK(p.window == 2);
  CHECK(p.a == 4.0);
}

TEST_CASE("faults of a parameter file are named") {
  const Directory directory;
  const std::string path = directory / "p.h5";
  const auto error = [&] { return input_error([&] { read_parameters(path); }); };
  SUBCASE("everything missing") {
    { RawFile file(path); }
    CHECK(error() ==
          path +
              ": attribute degree is missing; must be the largest number of heads in a subset\n" +
              path + ": /c is missing; must be numbers, one for each subset\n" + path +
              ": /w is missing; must be numbers, [H, M]\n" + path +
              ": /a is missing; must be a number");
  }
  SUBCASE("number of coefficients") {
    RawFile file(path);
    file.integer_attribute("degree", {2});
    file.reals("c", {3}, {1, 1, 1});
    file.reals("w", {2, 1}, {0, 0});
    file.reals("a", {1}, {1});
    file.close();
    CHECK(error() == path + ": /c has shape [3]: must be [4], the subsets of at most 2 of 2 heads");
  }
  SUBCASE("degree above the heads") {
    RawFile file(path);
    file.integer_attribute("degree", {3});
    file.reals("c", {4}, {1, 1, 1, 1});
    file.reals("w", {2, 1}, {0, 0});
    file.reals("a", {1}, {1});
    file.close();
    CHECK(error() == path + ": attribute degree 3: must be from 0 to the number of heads, 2");
  }
  SUBCASE("more subsets than there may be") {
    RawFile file(path);
    file.integer_attribute("degree", {30});
    file.reals("c", {1}, {1});
    file.reals("w", {30, 1}, std::vector<double>(30, 0.0));
    file.reals("a", {1}, {1});
    file.close();
    CHECK(error().starts_with(path + ": degree 30 of 30 elements"));
  }
  SUBCASE("not finite") {
    RawFile file(path);
    file.integer_attribute("degree", {1});
    file.reals("c", {2}, {1, 1});
    file.reals("w", {1, 1}, {NAN});
    file.reals("a", {1}, {infinity});
    file.close();
    const std::string sentences = error();
    CHECK(sentences.find("w holds a value that is not finite") != std::string::npos);
    CHECK(sentences.find("a is not finite") != std::string::npos);
  }
  SUBCASE("all coefficients zero") {
    RawFile file(path);
    file.integer_attribute("degree", {1});
    file.reals("c", {2}, {0, 0});
    file.reals("w", {1, 1}, {0});
    file.reals("a", {1}, {1});
    file.close();
    CHECK(error().find("all c are zero") != std::string::npos);
  }
  SUBCASE("c against log_c_squared") {
    RawFile file(path);
    file.integer_attribute("degree", {1});
    file.reals("c", {2}, {1, 0.5});
    file.reals("log_c_squared", {2}, {0, -1});
    file.reals("w", {1, 1}, {0});
    file.reals("a", {1}, {1});
    file.close();
    CHECK(error().starts_with(path + ": /c[1] 0.5: must be sign*exp(log_c_squared/2) = 0.6065"));
  }
}
