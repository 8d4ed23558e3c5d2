#include "gihflow/record/kernel_file.hpp"

#include <doctest/doctest.h>

#include "gihflow/chain/prior.hpp"
#include "record/raw_file.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_error;
using gihflow::testing::RawFile;

TEST_CASE("kernels read back are the kernels written") {
  const Directory directory;
  Prior prior;
  prior.parents = {1, 4};
  const Kernels kernels = draw_kernels(prior, 3, Purpose::test, 5);
  OutputFile file(directory / "k.h5", false);
  write_kernels(file, kernels, {});
  const Kernels back = read_kernels(directory / "k.h5");
  CHECK(back.vocabulary == kernels.vocabulary);
  CHECK(back.parents == kernels.parents);
  CHECK(back.count == kernels.count);
  CHECK(back.values == kernels.values);
}

TEST_CASE("parents may be an attribute of the dataset, and what is said twice must agree") {
  const Directory directory;
  long long said_twice = 0;
  SUBCASE("said once") {}
  SUBCASE("said twice") {
    said_twice = 2;
  }
  SUBCASE("said otherwise") {
    said_twice = 3;
  }
  const std::string path = directory / "k.h5";
  {
    RawFile file(path);
    file.reals("kernels", {1, 2, 2}, {0.5, 0.5, 0.25, 0.75});
    const hid_t dataset = H5Dopen2(file.id(), "kernels", H5P_DEFAULT);
    const hsize_t one = 1;
    const hid_t space = H5Screate_simple(1, &one, nullptr);
    const hid_t attribute =
        H5Acreate2(dataset, "parents", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    const int lag = 2;
    H5Awrite(attribute, H5T_NATIVE_INT, &lag);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Dclose(dataset);
    if (said_twice != 0) file.integer_attribute("parents", {said_twice});
  }
  if (said_twice == 3) {
    CHECK(input_error([&] { read_kernels(path); }) ==
          path + ": attribute parents of /kernels is 2: must be that of the file, 3");
  } else {
    CHECK(read_kernels(path).parents == std::vector<Index>{2});
  }
}

TEST_CASE("faults of a kernel file are named") {
  const Directory directory;
  const std::string path = directory / "k.h5";
  SUBCASE("contexts that do not fit the parents") {
    RawFile file(path);
    file.integer_attribute("parents", {1, 2});
    file.reals("kernels", {1, 2, 2}, {0.5, 0.5, 0.25, 0.75});
    file.close();
    CHECK(input_error([&] { read_kernels(path); }) ==
          path + ": /kernels has 2 contexts: must be d^n = 2^2 for the parents 1,2");
  }
  SUBCASE("rows that do not sum to 1") {
    RawFile file(path);
    file.integer_attribute("parents", {1});
    file.reals("kernels", {1, 2, 2}, {0.5, 0.5, 0.25, 0.5});
    file.close();
    const std::string error = input_error([&] { read_kernels(path); });
    CHECK(error.starts_with(path + ": /kernels, chain 0, context 1"));
    CHECK(error.find("0.75") != std::string::npos);
  }
  SUBCASE("no parents") {
    RawFile(path).reals("kernels", {1, 2, 2}, {0.5, 0.5, 0.25, 0.75});
    CHECK(input_error([&] { read_kernels(path); }) ==
          path + ": attribute parents is missing; must be increasing lags of at least 1");
  }
  SUBCASE("two dimensions") {
    RawFile file(path);
    file.integer_attribute("parents", {1});
    file.reals("kernels", {2, 2}, {0.5, 0.5, 0.25, 0.75});
    file.close();
    CHECK(input_error([&] {
            read_kernels(path);
          }).starts_with(path + ": /kernels has shape [2, 2]: must be"));
  }
}
