#include "gihflow/record/data_file.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "gihflow/base/errors.hpp"
#include "record/raw_file.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_errors;
using gihflow::testing::RawFile;

namespace {

Sequences two_sequences() {
  Sequences s;
  s.vocabulary = 3;
  s.length = 3;
  s.count = 2;
  s.tokens = {0, 1, 2, 0, 2, 2, 1, 1};
  s.targets = {0.25, 0.25, 0.5, 1.0, 0.0, 0.0};
  s.parents = {1, 3};
  return s;
}

void check_equal(const Sequences& a, const Sequences& b) {
  CHECK(a.vocabulary == b.vocabulary);
  CHECK(a.length == b.length);
  CHECK(a.count == b.count);
  CHECK(a.tokens == b.tokens);
  CHECK(a.targets == b.targets);
  CHECK(a.parents == b.parents);
}

// The one fault of a file, without the path in front.
std::string fault_of(const std::string& path) {
  const std::vector<std::string> errors = input_errors([&] { read_data(path); });
  REQUIRE(errors.size() == 1);
  REQUIRE(errors.front().starts_with(path + ": "));
  return errors.front().substr(path.size() + 2);
}

}  // namespace

TEST_CASE("data read back are the data written") {
  const Directory directory;
  Sequences sequences = two_sequences();
  OutputFile first(directory / "a.h5", false);
  write_data(first, sequences, {});
  check_equal(read_data(directory / "a.h5"), sequences);

  sequences.targets.clear();  // the label alone
  sequences.parents.clear();  // unknown
  OutputFile second(directory / "b.h5", false);
  write_data(second, sequences, {});
  check_equal(read_data(directory / "b.h5"), sequences);
}

TEST_CASE("tokens of any integer type are read, in many slabs") {
  const Directory directory;
  for (const hid_t type : {H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_I16BE, H5T_STD_U16LE, H5T_STD_I32LE,
                           H5T_STD_U32BE, H5T_STD_I64LE, H5T_STD_U64LE}) {
    const hsize_t rows = 3000, columns = 501;  // more than one slab of 2^20
    std::vector<long long> tokens(rows * columns);
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<long long>(i % 5);
    {
      RawFile file(directory / "raw.h5");
      file.integer_attribute("vocabulary_size", {5});
      file.integers("tokens", {rows, columns}, tokens, type);
    }
    const Sequences sequences = read_data(directory / "raw.h5");
    REQUIRE(sequences.tokens.size() == tokens.size());
    bool equal = true;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      equal = equal && sequences.tokens[i] == tokens[i];
    CHECK(equal);
    CHECK(sequences.targets.empty());
    CHECK(sequences.length == 500);
  }
}

TEST_CASE("each fault of a data file is named with field, value and what is allowed") {
  const Directory directory;
  const std::string path = directory / "bad.h5";

  SUBCASE("no such file") {
    CHECK(fault_of(path) == "no such file");
  }
  SUBCASE("a directory") {
    std::filesystem::create_directory(path);
    CHECK(fault_of(path) == "is not a regular file");
  }
  SUBCASE("not HDF5") {
    std::ofstream(path) << "tokens";
    CHECK(fault_of(path).starts_with("is not a readable HDF5 file ("));
  }
  SUBCASE("no vocabulary_size") {
    RawFile(path).integers("tokens", {1, 2}, {0, 1});
    CHECK(fault_of(path) ==
          "attribute vocabulary_size is missing; must be an integer from 2 to 65535");
  }
  SUBCASE("vocabulary_size out of range") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {1});
    file.integers("tokens", {1, 2}, {0, 1});
    file.close();
    CHECK(fault_of(path) == "attribute vocabulary_size 1: must be an integer from 2 to 65535");
  }
  SUBCASE("tokens are reals") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.reals("tokens", {1, 2}, {0, 1});
    file.close();
    CHECK(fault_of(path) ==
          "/tokens does not hold integers but float64; must be integers, [N, L+1] with N and L at "
          "least 1");
  }
  SUBCASE("tokens of one dimension") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.integers("tokens", {4}, {0, 1, 2, 0});
    file.close();
    CHECK(fault_of(path) ==
          "/tokens has shape [4]: must be integers, [N, L+1] with N and L at least 1");
  }
  SUBCASE("no context") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.integers("tokens", {4, 1}, {0, 1, 2, 0});
    file.close();
    CHECK(fault_of(path).starts_with("/tokens has shape [4, 1]: must be"));
  }
  SUBCASE("no chains") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.integers("tokens", {0, 5}, {});
    file.close();
    CHECK(fault_of(path).starts_with("/tokens has shape [0, 5]: must be"));
  }
  SUBCASE("tokens out of range") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.integers("tokens", {2, 3}, {0, 1, 2, 0, 3, -1});
    file.close();
    CHECK(fault_of(path) == "/tokens[1, 1] 3 (and 1 more): must be a token from 0 to 2");
  }
  SUBCASE("targets of another shape") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {3});
    file.integers("tokens", {1, 2}, {0, 1});
    file.reals("targets", {1, 2}, {0.5, 0.5});
    file.close();
    CHECK(fault_of(path) == "/targets has shape [1, 2]: must be [1, 3]");
  }
  SUBCASE("negative target") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    file.integers("tokens", {1, 2}, {0, 1});
    file.reals("targets", {1, 2}, {1.5, -0.5});
    file.close();
    CHECK(fault_of(path) == "/targets[0, 1] -0.5: must be a finite probability of at least 0");
  }
  SUBCASE("targets that do not sum to 1") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    file.integers("tokens", {2, 2}, {0, 1, 1, 1});
    file.reals("targets", {2, 2}, {0.5, 0.5, 0.5, 0.25});
    file.close();
    CHECK(fault_of(path) == "/targets, row 1, sums to 0.75: must be 1 within 1e-09");
  }
  SUBCASE("parents beyond the length") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    file.integer_attribute("parents", {1, 4});
    file.integers("tokens", {1, 4}, {0, 1, 0, 1});
    file.close();
    CHECK(fault_of(path) == "attribute parents: lag 4 must not exceed the length L = 3");
  }
  SUBCASE("parents out of order") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    file.integer_attribute("parents", {2, 1});
    file.integers("tokens", {1, 4}, {0, 1, 0, 1});
    file.close();
    CHECK(fault_of(path).starts_with("attribute parents 2,1: must be"));
  }
}

TEST_CASE("all faults of a file come at once") {
  const Directory directory;
  const std::string path = directory / "bad.h5";
  {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    file.integer_attribute("parents", {0});
    file.integers("tokens", {1, 2}, {0, 7});
    file.reals("targets", {1, 2}, {2.0, 0.0});
  }
  CHECK(input_errors([&] { read_data(path); }).size() == 3);
}

TEST_CASE("no link leads out of a data file and no storage beside it is read") {
  const Directory directory;
  const std::string path = directory / "hostile.h5";
  {
    RawFile other(directory / "other.h5");
    other.integers("tokens", {1, 2}, {0, 1});
  }
  SUBCASE("external link") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    H5Lcreate_external((directory / "other.h5").c_str(), "/tokens", file.id(), "tokens",
                       H5P_DEFAULT, H5P_DEFAULT);
    file.close();
    CHECK(fault_of(path).starts_with(
        "/tokens is a link to another place, which is not followed; must be integers"));
  }
  SUBCASE("soft link in a circle") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    H5Lcreate_soft("/tokens", file.id(), "tokens", H5P_DEFAULT, H5P_DEFAULT);
    file.close();
    CHECK(fault_of(path).starts_with("/tokens is a link to another place"));
  }
  SUBCASE("external storage") {
    std::ofstream(directory / "secret") << std::string(64, 'x');
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    const hsize_t shape[] = {1, 2};
    const hid_t space = H5Screate_simple(2, shape, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, (directory / "secret").c_str(), 0, H5F_UNLIMITED);
    H5Dclose(
        H5Dcreate2(file.id(), "tokens", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation);
    H5Sclose(space);
    file.close();
    CHECK(fault_of(path).starts_with("/tokens keeps its values in another file"));
  }
  SUBCASE("a declared size beyond all memory") {
    RawFile file(path);
    file.integer_attribute("vocabulary_size", {2});
    const hsize_t shape[] = {hsize_t{1} << 40, hsize_t{1} << 20};
    const hsize_t chunk[] = {1, 1024};
    const hid_t space = H5Screate_simple(2, shape, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    H5Dclose(
        H5Dcreate2(file.id(), "tokens", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation);
    H5Sclose(space);
    file.close();
    CHECK(fault_of(path).find("GiB of memory here can hold") != std::string::npos);
  }
}
