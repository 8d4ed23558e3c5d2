#include "gihflow/base/subsets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <string>
#include <vector>

#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::input_error;

TEST_CASE("subsets of three elements in the order of every table, by hand") {
  std::vector<std::string> names;
  for (const auto mask : subsets(3, 3)) names.push_back(to_string_subset(mask));
  CHECK(names ==
        std::vector<std::string>{"{}", "{1}", "{2}", "{3}", "{1,2}", "{1,3}", "{2,3}", "{1,2,3}"});
  CHECK(subsets(3, 0) == std::vector<std::uint32_t>{0});
  CHECK(subsets(3, 1) == std::vector<std::uint32_t>{0, 1, 2, 4});
  CHECK(subsets(0, 4) == std::vector<std::uint32_t>{0});
  CHECK(subsets(2, 5) == subsets(2, 2));
}

TEST_CASE("every subset comes once, by size and then lexicographically") {
  for (const Index elements : {1, 4, 6, 11}) {
    for (Index degree = 0; degree <= elements; ++degree) {
      const auto all = subsets(elements, degree);
      CHECK(static_cast<Index>(all.size()) == subset_count(elements, degree));
      CHECK(std::set<std::uint32_t>(all.begin(), all.end()).size() == all.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(subset_index(all[i], elements) == static_cast<Index>(i));
        CHECK(std::popcount(all[i]) <= degree);
        CHECK(all[i] < (1u << elements));
        if (i == 0) continue;
        const auto before = elements_of(all[i - 1]), here = elements_of(all[i]);
        CHECK((before.size() < here.size() || (before.size() == here.size() && before < here)));
      }
    }
  }
}

TEST_CASE("subset counts are sums of binomials") {
  CHECK(subset_count(3, 2) == 7);
  CHECK(subset_count(10, 10) == 1024);
  CHECK(subset_count(30, 2) == 1 + 30 + 435);
  CHECK(subset_count(24, 24) == Index{1} << 24);
  CHECK(subset_count(0, 0) == 1);
  CHECK(subsets(30, 1).back() == 1u << 29);
  CHECK(subset_index((1u << 30) - 1, 30) == (Index{1} << 30) - 1);
}

TEST_CASE("too many elements or subsets are refused") {
  CHECK(input_error([] { subset_count(25, 25); }) ==
        "degree 25 of 25 elements: makes 33554432 subsets: must not exceed 16777216");
  CHECK(input_error([] { subsets(31, 1); }) == "subsets of 31 elements: must be 0 to 30 elements");
  CHECK(input_error([] { subsets(-1, 1); }) == "subsets of -1 elements: must be 0 to 30 elements");
  CHECK(input_error([] { subsets(3, -1); }) == "degree -1: must be at least 0");
}

TEST_CASE("elements of a mask are 1-based and increasing") {
  CHECK(elements_of(0).empty());
  CHECK(elements_of(0b1011) == std::vector<Index>{1, 2, 4});
  CHECK(to_string_subset(0b1011) == "{1,2,4}");
  CHECK(to_string_subset(1u << 29) == "{30}");
}
