#include "gihflow/base/errors.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gihflow;

TEST_CASE("an input error of one sentence is that sentence") {
  const InputError error("alpha -1: must be above 0");
  CHECK(std::string(error.what()) == "alpha -1: must be above 0");
  CHECK(error.messages() == std::vector<std::string>{"alpha -1: must be above 0"});
}

TEST_CASE("an input error of several sentences has one line each") {
  const InputError error(std::vector<std::string>{"a: b", "c: d", "e: f"});
  CHECK(std::string(error.what()) == "a: b\nc: d\ne: f");
  CHECK(error.messages().size() == 3);
}

TEST_CASE("an error list throws all it was given at once and nothing if it was given nothing") {
  ErrorList errors;
  CHECK(errors.empty());
  CHECK_NOTHROW(errors.throw_if_any());
  errors.add("first");
  errors.add("second");
  CHECK_FALSE(errors.empty());
  CHECK(errors.messages() == std::vector<std::string>{"first", "second"});
  CHECK_THROWS_WITH_AS(errors.throw_if_any(), "first\nsecond", InputError);
}
