#include "gihflow/base/errors.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gihflow;

namespace {

const Fault alpha{Field::alpha, "-1", "must be above 0", ""};
const Fault beta{Field::batch, "", "must be left out", ""};

}  // namespace

TEST_CASE("an input error of one fault is its sentence") {
  const InputError error(alpha);
  CHECK(std::string(error.what()) == "alpha -1: must be above 0");
  CHECK(error.faults() == std::vector<Fault>{alpha});
}

TEST_CASE("an input error of several faults has one line each") {
  const InputError error(std::vector<Fault>{alpha, beta, alpha});
  CHECK(std::string(error.what()) ==
        "alpha -1: must be above 0\nbatch: must be left out\nalpha -1: must be above 0");
  CHECK(error.faults().size() == 3);
}

TEST_CASE("an error list throws all it was given at once and nothing if it was given nothing") {
  ErrorList errors;
  CHECK(errors.empty());
  CHECK_NOTHROW(errors.throw_if_any());
  errors.add(alpha);
  errors.add(beta);
  CHECK_FALSE(errors.empty());
  CHECK(errors.faults() == std::vector<Fault>{alpha, beta});
  CHECK_THROWS_WITH_AS(errors.throw_if_any(), "alpha -1: must be above 0\nbatch: must be left out",
                       InputError);
}

TEST_CASE("an error list knows which settings are unusable, whatever their faults speak of") {
  ErrorList errors;
  errors.add(alpha);
  errors.add(Field::data, {Field::none, "9", "must be below 8", "x.h5: /tokens[0, 3]"});
  CHECK(errors.about({Field::alpha}));
  CHECK(errors.about({Field::batch, Field::data}));
  CHECK_FALSE(errors.about({Field::batch, Field::kernels}));
  ErrorList others;
  others.add(beta);
  others.add(errors);
  CHECK(others.faults().size() == 3);
  CHECK(others.about({Field::data}));
}
