#include "gihflow/base/fault.hpp"

#include <doctest/doctest.h>

#include "gihflow/base/errors.hpp"

namespace gihflow {
namespace {

Spelling dashed() {
  const auto option = [](Field field) { return "--" + std::string(name(field)); };
  return {option, option};
}

TEST_CASE("a setting is named as in a config file") {
  CHECK(name(Field::none).empty());
  CHECK(name(Field::a_init) == "a-init");
  CHECK(name(Field::head_normalization) == "head-normalization");
  CHECK(name(Field::window) == "window");
}

TEST_CASE("a fault becomes a sentence that spells its settings as asked") {
  const Fault fault{.field = Field::labels,
                    .value = "posterior",
                    .allowed = Phrase("not exact with ", Field::initial_law, " stationary")};
  CHECK(sentence(fault, plain_spelling()) ==
        "labels posterior: not exact with initial-law stationary");
  CHECK(sentence(fault, dashed()) == "--labels posterior: not exact with --initial-law stationary");
}

TEST_CASE("parts of a fault that are empty are left out") {
  const Spelling plain = plain_spelling();
  CHECK(sentence({.allowed = Phrase("no chains")}, plain) == "no chains");
  CHECK(sentence({.field = Field::resume, .allowed = Phrase("needs a run")}, plain) ==
        "resume: needs a run");
  CHECK(sentence({.value = "9", .allowed = Phrase("must be below 8"), .where = "x.h5, /tokens"},
                 plain) == "x.h5, /tokens: 9: must be below 8");
  CHECK(sentence({.field = Field::alpha,
                  .value = "0",
                  .allowed = Phrase("must be above 0"),
                  .where = "a.toml"},
                 plain) == "a.toml: alpha 0: must be above 0");
}

TEST_CASE("an input error carries all faults and says them in the names of a config file") {
  const std::vector<Fault> faults{
      {.field = Field::w_own, .value = "nan", .allowed = Phrase("must be finite")},
      {.field = Field::batch, .allowed = Phrase("needs ", Field::method, " gd")}};
  const InputError error(faults);
  CHECK(error.faults() == faults);
  CHECK(std::string(error.what()) == "w-own nan: must be finite\nbatch: needs method gd");
}

}  // namespace
}  // namespace gihflow
