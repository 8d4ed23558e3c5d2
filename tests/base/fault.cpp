#include "gihflow/base/fault.hpp"

#include <doctest/doctest.h>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow {
namespace {

std::string dashed(Field field) {
  return "--" + std::string(name(field));
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
  CHECK(sentence(fault, plain_spelling) ==
        "labels posterior: not exact with initial-law stationary");
  CHECK(sentence(fault, dashed) == "--labels posterior: not exact with --initial-law stationary");
}

TEST_CASE("a name leads back to its setting") {
  for (unsigned k = 1; k <= static_cast<unsigned>(Field::window); ++k) {
    const Field field = static_cast<Field>(k);
    CHECK_MESSAGE(field_named(name(field)) == field, name(field));
  }
  CHECK(field_named("alhpa") == Field::none);
}

TEST_CASE("a fault that a config file gave is told in the words of that file") {
  const Fault fault{.field = Field::labels,
                    .value = "posterior",
                    .allowed = Phrase("not exact with ", Field::initial_law, " stationary"),
                    .where = "a.toml"};
  CHECK(sentence(fault, dashed) ==
        "a.toml: labels posterior: not exact with initial-law stationary");
}

TEST_CASE("words of a fault are put together from numbers, texts and settings") {
  CHECK(phrase("must be at most {}, {:.1f} or {}, with {} {}", 3, 2.25, 1e-9, Field::boundary,
               "masked") ==
        Phrase("must be at most 3, 2.2 or 1e-09, with ", Field::boundary, " masked"));
  CHECK(phrase("{}{}", Field::alpha, Field::floor) == Phrase(Field::alpha, Field::floor));
  CHECK(phrase("must be positive") == Phrase("must be positive"));
  Phrase sum("need");
  sum += phrase(" {} {}", Field::length, 5);
  CHECK(sentence({.allowed = sum}, dashed) == "need --length 5");
  CHECK(fault(Field::rtol, 0.0, "must be above {}", 0) ==
        Fault{Field::rtol, "0", "must be above 0", ""});
  CHECK(fault("gains, number", 2, "must be finite") ==
        Fault{Field::none, "2", "must be finite", "gains, number"});
}

TEST_CASE("a fault of a part is one of the whole") {
  const Fault part = fault("/tokens[0, 3]", 9, "must be below 8");
  CHECK(within("x.h5", part).where == "x.h5: /tokens[0, 3]");
  CHECK(sentence(within("x.h5", fault(Field::none, "", "is damaged")), plain_spelling) ==
        "x.h5: is damaged");
  const Fault value{.value = "9", .allowed = Phrase("must be below 8")};
  CHECK(sentence(within("x.h5", value), plain_spelling) == "x.h5: 9: must be below 8");
  CHECK(sentence(within("all", within("x.h5", value)), plain_spelling) ==
        "all: x.h5: 9: must be below 8");
  CHECK(sentence(within("x.h5", fault(Field::length, 9, "must be below 8")), plain_spelling) ==
        "x.h5: length 9: must be below 8");
  CHECK(sentence(within("x.h5", part), plain_spelling) == "x.h5: /tokens[0, 3] 9: must be below 8");
}

TEST_CASE("parts of a fault that are empty are left out") {
  const Spelling plain = plain_spelling;
  CHECK(sentence({.allowed = Phrase("no chains")}, plain) == "no chains");
  CHECK(sentence({.field = Field::resume, .allowed = Phrase("needs a run")}, plain) ==
        "resume: needs a run");
  CHECK(sentence({.value = "9", .allowed = Phrase("must be below 8"), .where = "x.h5: /tokens[3]"},
                 plain) == "x.h5: /tokens[3] 9: must be below 8");
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
