#include "gihflow/run/options.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "gihflow/base/errors.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;

namespace {

// The setting with one option given as a text, and the faults of that.
std::pair<Setting, ErrorList> with(const std::string& name, const std::string& text) {
  Setting setting;
  ErrorList faults;
  const Option& option = *find_option(name);
  const auto value = parse_value(option, text);
  if (value) {
    set_option(setting, option, *value, "", faults);
  } else {
    faults.add({option.field(), "", "not of its kind", ""});
  }
  return {setting, faults};
}

}  // namespace

TEST_CASE("names of options are distinct, and each says what it is") {
  std::set<std::string> names;
  for (const Option& option : options()) {
    CHECK_MESSAGE(names.insert(option.name).second, option.name);
    CHECK_MESSAGE(!option.help.empty(), option.name);
    CHECK_MESSAGE(!option.allowed.empty(), option.name);
    CHECK_MESSAGE(option.commands != 0, option.name);
    CHECK_MESSAGE((option.kind == Kind::flag) == option.value.empty(), option.name);
  }
}

TEST_CASE("every default is accepted and survives a text and back") {
  const Setting defaults;
  for (const Option& option : options()) {
    const auto value = option.get(defaults);
    if (!value) {
      CHECK_MESSAGE((!option.unset.empty() || option.name == "output"), option.name);
      continue;
    }
    CHECK_MESSAGE(option.accepts(*value), option.name);
    CHECK_MESSAGE(parse_value(option, to_string(*value)) == value, option.name);
  }
}

TEST_CASE("an option that is set is got back") {
  const std::pair<const char*, const char*> cases[] = {
      {"vocabulary", "5"},       {"parents", "1,4,9"},
      {"parents", ""},           {"alpha", "0.30000000000000004"},
      {"labels", "posterior"},   {"seed", "9223372036854775807"},
      {"max-steps", "7"},        {"stages", "cw:0.5,a:1e+30"},
      {"threads", "3"},          {"max-wall", "2.5"},
      {"first-output", "0.001"}, {"data", "some file.h5"},
      {"integrator", "rodas5p"}, {"force", "true"},
      {"a-init", "-3"}};
  for (const auto& one : cases) {
    const std::string name = one.first, text = one.second;
    const auto [setting, faults] = with(name, text);
    CHECK_MESSAGE(faults.empty(), name);
    const auto value = find_option(name)->get(setting);
    REQUIRE_MESSAGE(value.has_value(), name);
    CHECK(to_string(*value) == text);
    CHECK(setting.given.at(name).empty());
  }
}

TEST_CASE("an older name of an integrator is read, the present one is written") {
  const auto [setting, faults] = with("integrator", "rosenbrock4");
  CHECK(faults.empty());
  CHECK(setting.flow.integrator == Integrator::rodas5p);
  CHECK(to_string(*find_option("integrator")->get(setting)) == "rodas5p");
}

TEST_CASE("values out of range are faults that name option, value and what is allowed") {
  const std::pair<const char*, const char*> cases[] = {{"vocabulary", "1"},
                                                       {"vocabulary", "65536"},
                                                       {"parents", "2,1"},
                                                       {"parents", "0,1"},
                                                       {"alpha", "0"},
                                                       {"alpha", "nan"},
                                                       {"alpha", "inf"},
                                                       {"floor", "-0.1"},
                                                       {"length", "0"},
                                                       {"chains", "0"},
                                                       {"validation-chains", "-1"},
                                                       {"window", "0"},
                                                       {"heads", "31"},
                                                       {"degree", "-1"},
                                                       {"epsilon", "-1"},
                                                       {"boundary", "open"},
                                                       {"c-init", "0"},
                                                       {"rtol", "0"},
                                                       {"atol", "-1"},
                                                       {"outputs", "1"},
                                                       {"first-output", "0"},
                                                       {"max-steps", "0"},
                                                       {"threads", "0"},
                                                       {"threads", "1025"},
                                                       {"seed", "-1"},
                                                       {"checkpoint-every", "-1"},
                                                       {"max-wall", "0"},
                                                       {"integrator", "euler"},
                                                       {"engine", "gpu"},
                                                       {"data", ""}};
  for (const auto& one : cases) {
    const std::string name = one.first, text = one.second;
    const auto [setting, faults] = with(name, text);
    REQUIRE_MESSAGE(faults.faults().size() == 1, fmt::format("{} {}", name, text));
    const std::string message = sentence(faults.faults().front(), testing::as_options);
    CHECK_MESSAGE(message.starts_with(fmt::format("--{}", name)), message);
    CHECK_MESSAGE(message.ends_with("must be " + find_option(name)->allowed), message);
    CHECK(faults.about({field_named(name)}));
    // The default stays.
    CHECK(find_option(name)->get(setting) == find_option(name)->get(Setting()));
  }
}

TEST_CASE("texts that are not of the kind are nothing") {
  const std::pair<const char*, const char*> cases[] = {
      {"chains", "9e3"},  {"chains", "12x"}, {"chains", ""},  {"chains", "1.0"},
      {"alpha", "0,1"},   {"alpha", ""},     {"alpha", "1 "}, {"parents", "1,"},
      {"parents", "1,a"}, {"force", "yes"}};
  for (const auto& one : cases) {
    const std::string name = one.first, text = one.second;
    CHECK_MESSAGE(!parse_value(*find_option(name), text).has_value(),
                  fmt::format("{} '{}'", name, text));
  }
}

TEST_CASE("the nearest name is found, and none where nothing is near") {
  std::vector<std::string> names;
  for (const Option& option : options()) names.push_back(option.name);
  CHECK(nearest("alhpa", names) == "alpha");
  CHECK(nearest("lenght", names) == "length");
  CHECK(nearest("validation_chains", names) == "validation-chains");
  CHECK(nearest("head-norm", names) == "head-normalization");
  CHECK(nearest("qqqqqqqqqq", names).empty());
}

TEST_CASE("a preset sets each row of its table") {
  Setting setting;
  apply_preset(setting, "reference");
  CHECK(setting.model.boundary == Boundary::partial);
  CHECK(setting.model.head_windows == HeadWindows::shifted);
  CHECK(setting.model.head_normalization == HeadNormalization::l2);
  CHECK(setting.model.readout == Readout::softmax);
  CHECK(setting.sampling.initial_law == InitialLaw::uniform);
  CHECK(setting.sampling.labels == Labels::sampled);
  CHECK(setting.initial.w_other == 0.1);
  // The names that it tells are the options that it changes, and paper is the default.
  std::set<std::string> changed;
  for (const Option& option : options()) {
    if (option.get(setting) != option.get(Setting())) changed.insert(option.name);
  }
  CHECK(changed == std::set<std::string>(preset_options().begin(), preset_options().end()));
  apply_preset(setting, "paper");
  for (const Option& option : options()) CHECK(option.get(setting) == option.get(Setting()));
}
