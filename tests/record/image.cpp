// What an Image is given, an InputFile gives back.

#include "record/image.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "gihflow/base/errors.hpp"
#include "record/input_file.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using namespace gihflow::hdf5;
using gihflow::testing::Directory;
using gihflow::testing::input_error;

namespace {

const std::vector<double> reals{0.1, -0.0, 1e-310, std::numeric_limits<double>::infinity(),
                                7,   -1e9};
const std::vector<std::int64_t> integers{std::numeric_limits<std::int64_t>::min(), -1,
                                         (std::int64_t{1} << 53) + 1};

Image some_image() {
  Image image;
  image.group("/g");
  image.attribute("/", "text", "θ and 𝓛");
  image.attribute("/g", "real", 0.1);
  image.attribute("/g", "whole", std::int64_t{-3});
  image.attribute("/g", "wholes", std::span(integers));
  image.counting_scale("/row", 1, 2, "row");
  image.counting_scale("/column", 1, 3, "column");
  image.dataset<double>("/g/reals", reals, {2, 3}, {"nats", "some reals", {"/row", "/column"}});
  image.dataset<std::int64_t>("/g/integers", integers, {3}, {"1", "some integers", {}});
  image.scalar<double>("/g/scalar", 0.1, {"1", "one real", {}});
  image.texts("/g/texts", {"", "a", "ö"}, "some texts", "/column");
  return image;
}

std::string write(const Directory& directory, const char* name, std::span<const std::byte> bytes) {
  const std::string path = directory / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace

TEST_CASE("numbers, texts and attributes come back bit for bit") {
  const Directory directory;
  Image image = some_image();
  InputFile file(write(directory, "file.h5", image.bytes()), Isolation::in_process);
  CHECK(file.text_attribute("/", "text") == "θ and 𝓛");
  CHECK(file.real_attribute("/g", "real") == 0.1);
  CHECK(file.integer_attribute("/g", "whole", "a number") == -3);
  CHECK(file.integers_attribute("/g", "wholes", "numbers") == integers);
  CHECK(file.reals("/g/reals", Shape{2, 3}) == reals);
  CHECK(std::signbit(file.reals("/g/reals", Shape{2, 3})->at(1)));
  CHECK(file.integers("/g/integers", Shape{3}) == integers);
  CHECK(file.reals("/g/scalar", Shape{}) == std::vector<double>{0.1});
  CHECK(file.integers("/row", Shape{2}) == std::vector<std::int64_t>{1, 2});
  CHECK(file.texts("/g/texts") == std::vector<std::string>{"", "a", "ö"});
  CHECK(file.has("/g/reals"));
  CHECK_FALSE(file.has("/g/nothing"));
  CHECK(file.has_attribute("/g", "real"));
  CHECK_FALSE(file.has_attribute("/g", "unreal"));
  CHECK_FALSE(file.faulty());
  CHECK_NOTHROW(file.finish());
}

TEST_CASE("equal contents are equal bytes") {
  Image one = some_image(), other = some_image();
  const auto a = one.bytes(), b = other.bytes();
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_CASE("every fault of a file is in its one refusal") {
  const Directory directory;
  Image image = some_image();
  const std::string path = write(directory, "file.h5", image.bytes());
  const std::string said = input_error([&] {
    InputFile file(path, Isolation::in_process);
    CHECK_FALSE(file.reals("/g/reals", Shape{3, 2}));
    CHECK_FALSE(file.integers("/g/nothing", Shape{3}));
    CHECK_FALSE(file.real_attribute("/g", "unreal"));
    CHECK(file.faulty());
    file.finish();
  });
  for (const char* name : {"/g/reals", "/g/nothing", "unreal"}) {
    CAPTURE(said);
    CHECK(said.find(path) == 0);
    CHECK(said.find(name) != std::string::npos);
  }
}
