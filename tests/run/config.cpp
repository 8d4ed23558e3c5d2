#include "gihflow/run/config.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "gihflow/base/errors.hpp"
#include "support/command_lines.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;

namespace {

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) : path_(directory_ / "c.toml") {
    std::ofstream(path_) << text;
  }
  const std::string& path() const { return path_; }

  template <class S = TrainSetting>
  Assembled assembled(const std::map<std::string, std::string>& values = {}) const {
    return testing::assembled<S>(values, path_);
  }
  std::string fault() const {
    const Assembled result = assembled();
    const std::vector<std::string> sentences =
        testing::sentences(result.faults, testing::as_options);
    REQUIRE(sentences.size() == 1);
    REQUIRE(sentences.front().starts_with(path_ + ": "));
    return sentences.front().substr(path_.size() + 2);
  }

 private:
  Directory directory_;
  std::string path_;
};

}  // namespace

TEST_CASE("the command line wins over the config, the config over the preset, that over defaults") {
  const ConfigFile config("alpha = 0.5\nreadout = \"log\"\npreset = \"reference\"\nchains = 7\n");
  const Assembled result = config.assembled({{"alpha", "0.7"}});
  CHECK(result.faults.empty());
  CHECK(result.setting.sampling.prior.alpha == 0.7);
  CHECK(result.setting.sampling.count == 7);
  CHECK(result.setting.model.readout == Readout::log);
  CHECK(result.setting.model.boundary == Boundary::partial);
  CHECK(result.setting.given.at(Field::alpha).empty());
  CHECK(result.setting.given.at(Field::chains) == config.path());
  CHECK_FALSE(result.setting.given.contains(Field::boundary));
}

TEST_CASE(
    "a preset of the command line replaces the config's and leaves what the config spells out") {
  const ConfigFile config("preset = \"reference\"\nlabels = \"sampled\"\n");
  const Assembled result = config.assembled({{"preset", "paper"}, {"boundary", "partial"}});
  CHECK(result.setting.model.head_windows == HeadWindows::shared);
  CHECK(result.setting.model.boundary == Boundary::partial);
  CHECK(result.setting.sampling.labels == Labels::sampled);
  REQUIRE(result.notes.size() == 1);
  CHECK(words(result.notes.front()) ==
        "preset paper leaves labels as " + config.path() + " sets it");
}

TEST_CASE("numbers, lists and texts are read as TOML has them") {
  const ConfigFile config(
      "parents = [1, 3]\nstages = [\"c:1\", \"wa:2.5\"]\nalpha = 1\nforce = true\ndata = "
      "\"x.h5\"\n");
  const Setting setting = config.assembled().setting;
  CHECK(setting.sampling.prior.parents == std::vector<Index>{1, 3});
  CHECK(setting.stages.size() == 2);
  CHECK(setting.stages[1].duration == 2.5);
  CHECK(setting.sampling.prior.alpha == 1.0);
  CHECK(setting.force);
  CHECK(setting.data == "x.h5");
  CHECK(ConfigFile("parents = []\n").assembled().setting.sampling.prior.parents.empty());
  CHECK(ConfigFile("stages = \"c:1,w:2\"\n").assembled().setting.stages.size() == 2);
}

TEST_CASE("faults of a config name the file, the key, the value and what is allowed") {
  CHECK(ConfigFile("alhpa = 1\n").fault() == "unknown key alhpa; the nearest key is alpha");
  CHECK(ConfigFile("qqqqqqqqq = 1\n").fault() ==
        "unknown key qqqqqqqqq; keys are the names of options");
  CHECK(ConfigFile("alpha = \"a\"\n").fault() == "alpha \"a\": must be a finite number above 0");
  CHECK(ConfigFile("alpha = -1\n").fault() == "alpha -1: must be a finite number above 0");
  CHECK(ConfigFile("chains = 9000.0\n").fault() ==
        "chains 9000.0: must be an integer of at least 1 and below 2^63");
  CHECK(ConfigFile("parents = [1, \"2\"]\n").fault() ==
        "parents: must be increasing lags of at least 1, as in 1,2");
  CHECK(ConfigFile("force = 1\n").fault() == "force 1: must be true or false");
  CHECK(ConfigFile("[model]\nheads = 2\n").fault().starts_with("unknown key model"));
  CHECK(ConfigFile("alpha = = 1\n").fault().starts_with("line 1, column "));
  CHECK(ConfigFile("stages = [\"c:0\"]\n").fault().starts_with("stages: 'c:0' has the TIME 0"));
}

TEST_CASE("a config that is not there is one fault") {
  const Assembled result = testing::assembled<TrainSetting>({}, "/nowhere/c.toml");
  CHECK(testing::sentences(result.faults) ==
        std::vector<std::string>{"config /nowhere/c.toml: no such file"});
}

TEST_CASE("keys of other commands are checked and left unused") {
  const ConfigFile config("chains = 5\nrtol = 1e-3\nvalidation-chains = 3\n");
  const Assembled result = config.assembled<SampleSetting>();
  CHECK(result.faults.empty());
  CHECK(result.setting.sampling.count == 5);
  CHECK(result.setting.flow.rtol == FlowOptions().rtol);
  CHECK_FALSE(result.setting.given.contains(Field::rtol));
  CHECK(ConfigFile("rtol = 0\n").assembled<SampleSetting>().faults.faults().size() == 1);
}

TEST_CASE("a config text reads back to the setting it was written from") {
  Setting setting;
  setting.model.vocabulary = setting.sampling.prior.vocabulary = 7;
  setting.sampling.prior.alpha = 0.1 + 0.2;
  setting.sampling.prior.parents = {2, 11};
  setting.sampling.seed = 9223372036854775807;
  setting.stages = parse_schedule("cwa:0.1,a:1e300");
  setting.flow.first_output = 1e-12;
  setting.flow.max_steps = 17;
  setting.initial.a = -1.0;
  setting.model.epsilon = 0.0;
  setting.data = "a \"strange\"\\name\n.h5";
  setting.engine = Engine::sparse;
  const std::string text = config_text(setting, groups_of<TrainSetting>, {});
  const Setting back = setting_of_config(text, "text");
  for (const Option& option : options()) {
    if (option.role == Role::handling || !option.belongs_to(groups_of<TrainSetting>)) continue;
    CHECK_MESSAGE(option.get(back) == option.get(setting), option.name());
  }
  CHECK(config_text(back, groups_of<TrainSetting>, {}) == text);
}

TEST_CASE("a config text leaves out what does not determine the numbers") {
  Setting setting;
  setting.threads = 2;
  setting.force = true;
  setting.output = "x.h5";
  const std::string text = config_text(setting, groups_of<TrainSetting>, {Field::alpha});
  for (const char* name : {"threads", "force", "output", "quiet", "max-wall", "alpha", "preset"}) {
    CHECK_MESSAGE(text.find(fmt::format("\n{} ", name)) == std::string::npos, name);
  }
  CHECK(text.find("\nrtol = 1e-06\n") != std::string::npos);
}
