#include "gihflow/run/check.hpp"

#include <doctest/doctest.h>

#include "gihflow/run/train.hpp"

using namespace gihflow;

namespace {

TrainSetting small() {
  TrainSetting setting;
  setting.sampling.count = 20;
  setting.sampling.length = 24;
  setting.validation_chains = 0;
  setting.stages = parse_schedule("c:20,w:20");
  setting.flow.outputs = 4;
  return setting;
}

}  // namespace

TEST_CASE("a verdict has the bits of a whole check") {
  TrainSetting recall = small();
  recall.sampling.task = Task::recall;
  CheckSetting asked;
  asked.fresh_chains = 50;
  asked.check_lengths = {12, 24};
  CheckSetting over_alphas = asked;
  over_alphas.check_alphas = {0.1, 1.0};
  CheckSetting lenient = asked;
  lenient.tolerance = 1.0;
  const std::pair<TrainSetting, CheckSetting> cases[] = {
      {small(), over_alphas}, {small(), lenient}, {recall, asked}};
  for (const auto& [setting, how] : cases) {
    const Run run = train(setting);
    const CheckResult whole = check(run, "the run", how), short_one = verdict(run, "the run", how);
    CHECK(short_one.passed() == whole.passed());
    CHECK(short_one.information_set == whole.information_set);
    CHECK(short_one.leading_set == whole.leading_set);
    REQUIRE(short_one.points.size() == whole.points.size());
    REQUIRE(whole.points.size() ==
            how.check_lengths.size() * std::max<std::size_t>(1, how.check_alphas.size()));
    for (std::size_t i = 0; i < whole.points.size(); ++i) {
      const CheckPoint &a = short_one.points[i], &b = whole.points[i];
      CHECK(a.length == b.length);
      CHECK(a.alpha == b.alpha);
      CHECK(a.passed == b.passed);
      CHECK(a.limit.total_variation == b.limit.total_variation);
      CHECK(a.limit.total_variation_error == b.limit.total_variation_error);
    }
  }
}
