#include "gihflow/run/options.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "gihflow/base/errors.hpp"

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
    faults.add({option.field, text, "not of its kind", ""});
  }
  return {setting, faults};
}

}  // namespace

TEST_CASE("each option of a command has a name of its own, and each says what it is") {
  for (const Groups groups :
       {groups_of<SampleSetting>, groups_of<TrainSetting>, groups_of<EvaluateSetting>,
        groups_of<RankSetting>, groups_of<CompareSetting>, groups_of<CheckSetting>,
        groups_of<AuditSetting>, groups_of<PredictSetting>, groups_of<VerifySetting>}) {
    std::set<Field> fields;
    for (const Option& option : options()) {
      if (!option.belongs_to(groups)) continue;
      CHECK_MESSAGE(fields.insert(option.field).second, option.name());
      CHECK(find_option(option.field, groups) == &option);
    }
    CHECK(fields.contains(Field::threads));
  }
  for (const Option& option : options()) {
    CHECK(!option.name().empty());
    CHECK_MESSAGE(!option.help.empty(), option.name());
    CHECK_MESSAGE(!option.allowed.empty(), option.name());
    CHECK_MESSAGE(option.groups != 0, option.name());
    CHECK_MESSAGE((option.kind == Kind::flag) == option.value.empty(), option.name());
  }
}

TEST_CASE("a command has the options of its setting's groups") {
  const auto has = [](Field field, Groups groups) {
    return find_option(field, groups)->belongs_to(groups);
  };
  CHECK(has(Field::alpha, groups_of<RankSetting>));
  CHECK_FALSE(has(Field::length, groups_of<RankSetting>));
  CHECK(has(Field::window, groups_of<RankSetting>));
  CHECK_FALSE(has(Field::heads, groups_of<RankSetting>));
  CHECK(has(Field::length, groups_of<SampleSetting>));
  CHECK_FALSE(has(Field::window, groups_of<SampleSetting>));
  CHECK(has(Field::batch, groups_of<TrainSetting>));
  CHECK_FALSE(has(Field::batch, groups_of<CompareSetting>));
  CHECK_FALSE(has(Field::quiet, groups_of<TrainSetting>));  // the program's own
  CHECK(has(Field::quiet, groups_of<TrainSetting> | groups_of<QuietSetting>));
  CHECK(find_option(Field::seed, groups_of<CheckSetting>) !=
        find_option(Field::seed, groups_of<TrainSetting>));
}

TEST_CASE("every default is accepted and survives a text and back") {
  const Setting defaults;
  for (const Option& option : options()) {
    const auto value = option.get(defaults);
    if (!value) {
      CHECK_MESSAGE(!option.unset.empty(), option.name());
      continue;
    }
    CHECK_MESSAGE(option.accepts(*value), option.name());
    CHECK_MESSAGE(parse_value(option, to_string(*value)) == value, option.name());
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
      {"a-init", "-3"},          {"learning-rates", "0.5,1e-05"},
      {"alphas", "0.1,2"}};
  for (const auto& one : cases) {
    const std::string name = one.first, text = one.second;
    const auto [setting, faults] = with(name, text);
    CHECK_MESSAGE(faults.empty(), name);
    const auto value = find_option(name)->get(setting);
    REQUIRE_MESSAGE(value.has_value(), name);
    CHECK(to_string(*value) == text);
    CHECK(setting.given.at(field_named(name)).empty());
  }
}

TEST_CASE("an older name of an integrator is read, the present one is written") {
  const auto [setting, faults] = with("integrator", "rosenbrock4");
  CHECK(faults.empty());
  CHECK(setting.flow.integrator == Integrator::rodas5p);
  CHECK(to_string(*find_option(Field::integrator)->get(setting)) == "rodas5p");
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
    const Fault& fault = faults.faults().front();
    CHECK(fault.field == field_named(name));
    CHECK_MESSAGE(!fault.value.empty() == !text.empty(), text);
    CHECK(fault.allowed == Phrase("must be " + find_option(name)->allowed));
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
  for (const Option& option : options()) names.push_back(option.name());
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
  std::set<Field> changed, named;
  for (const char* preset : {"reference", "full"}) {
    apply_preset(setting, preset);
    for (const Option& option : options()) {
      if (option.get(setting) != option.get(Setting())) changed.insert(option.field);
    }
  }
  for (const Convention& row : conventions()) named.insert(row.field);
  CHECK(changed == named);
  apply_preset(setting, "paper");
  for (const Option& option : options()) CHECK(option.get(setting) == option.get(Setting()));
}

TEST_CASE("an option says why it has no effect") {
  Setting setting;
  const auto why = [&](Field field) { return words(find_option(field)->without_effect(setting)); };
  CHECK(why(Field::alpha).empty());
  CHECK(why(Field::rtol).empty());
  CHECK(why(Field::batch) == "the method is the flow");
  setting.method = TrainingMethod::gd;
  CHECK(why(Field::batch).empty());
  CHECK(why(Field::rtol) == "the method is gradient descent");
  setting.model.readout = Readout::softmax;
  CHECK(why(Field::epsilon) == "readout softmax has no smoothing");
  setting.kernels = "k.h5";
  CHECK(why(Field::alpha) == "the kernels are those of k.h5");
  CHECK(why(Field::initial_law).empty());
  setting.data = "d.h5";
  CHECK(why(Field::alpha) == "the chains are those of d.h5");
  CHECK(why(Field::initial_law) == "the chains are those of d.h5");
  setting.context = ContextLength::infinite;
  CHECK(why(Field::length) == "context infinite has no sequences");
}

TEST_CASE("values are written as TOML has them") {
  CHECK(to_toml(true) == "true");
  CHECK(to_toml(std::int64_t{20}) == "20");
  CHECK(to_toml(20.0) == "20.0");
  CHECK(to_toml(1e-6) == "1e-06");
  CHECK(to_toml(std::string("a\"\\\n")) == R"("a\"\\\u000A")");
  CHECK(to_toml(std::vector<double>{1.0, 0.5}) == "[1.0, 0.5]");
  CHECK(to_toml(std::vector<std::string>{"c:1", "a:2"}) == R"(["c:1", "a:2"])");
}
