#include "gihflow/record/difference.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "record/raw_file.hpp"
#include "support/directory.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::RawFile;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

NumberDifference of(std::vector<double> a, std::vector<double> b) {
  return difference(a, b);
}

}  // namespace

TEST_CASE("numbers differ by bits, absolutely, relatively and in units in the last place") {
  const NumberDifference equal =
      of({1.0, -2.0, undefined, infinite}, {1.0, -2.0, undefined, infinite});
  CHECK(equal.entries == 4);
  CHECK(equal.different == 0);
  CHECK(equal.ulp == 0);

  const double next = std::nextafter(1.0, 2.0);
  const NumberDifference close = of({0.0, 1.0, -1.0, 8.0}, {0.0, next, -1.0, 6.0});
  CHECK(close.different == 2);
  CHECK(close.first == 1);
  CHECK(close.absolute == 2.0);
  CHECK(close.relative == 0.25);
  CHECK(of({1.0}, {next}).ulp == 1);
  CHECK(of({1.0}, {next}).relative == doctest::Approx(0x1p-52).epsilon(1e-9));

  // Across zero every double in between counts, and the two zeros are neighbours.
  const double tiny = std::numeric_limits<double>::denorm_min();
  CHECK(of({0.0}, {-0.0}).different == 1);
  CHECK(of({0.0}, {-0.0}).ulp == 1);
  CHECK(of({0.0}, {-0.0}).absolute == 0.0);
  CHECK(of({0.0}, {-0.0}).relative == 0.0);
  CHECK(of({tiny}, {-tiny}).ulp == 3);

  const double most = std::numeric_limits<double>::max();
  CHECK(of({most}, {-most}).ulp ==
        2 * ((std::uint64_t{2046} << 52) + (std::uint64_t{1} << 52)) - 1);
  for (const auto& [x, y] : {std::pair{1.0, undefined}, std::pair{undefined, 1.0}}) {
    CHECK(of({x}, {y}).absolute == infinite);
    CHECK(of({x}, {y}).relative == infinite);
    CHECK(of({x}, {y}).ulp == std::numeric_limits<std::uint64_t>::max());
  }
  CHECK(of({most}, {infinite}).ulp == 1);
  CHECK(of({most}, {infinite}).absolute == infinite);
}

TEST_CASE("files differ by datasets, shapes, attributes and what only one of them has") {
  const Directory directory;
  const std::string a = directory / "a.h5", b = directory / "b.h5";
  {
    RawFile file(a);
    file.reals("x", {2}, {1.0, 2.0});
    file.reals("same", {2}, {1.0, 2.0});
    file.reals("shape", {4}, {1, 2, 3, 4});
    file.reals("mine", {1}, {0.0});
    file.integer_attribute("n", {3});
  }
  {
    RawFile file(b);
    file.reals("x", {2}, {1.0, 2.5});
    file.reals("same", {2}, {1.0, 2.0});
    file.reals("shape", {2, 2}, {1, 2, 3, 4});
    file.reals("yours", {1}, {0.0});
    file.integer_attribute("n", {4});
  }
  const FileDifference found = compare_files(a, b);
  CHECK_FALSE(found.equal());
  CHECK_FALSE(found.first.has_value());
  REQUIRE(found.datasets.size() == 5);
  CHECK(found.datasets[0].what == "only in " + a);
  CHECK_FALSE(found.datasets[1].differs());
  CHECK(found.datasets[2].what == "shape [4] beside [2, 2]");
  CHECK(found.datasets[3].numbers.absolute == 0.5);
  CHECK(found.datasets[3].numbers.first == 1);
  CHECK(found.datasets[4].what == "only in " + b);
  CHECK(found.attributes == std::vector<WordDifference>{{"n", "3", "4"}});
  CHECK(compare_files(a, a).equal());
}
