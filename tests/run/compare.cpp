#include "gihflow/run/compare.hpp"

#include <doctest/doctest.h>

#include "gihflow/run/evaluate.hpp"
#include "gihflow/run/objectives.hpp"
#include "gihflow/run/predict.hpp"
#include "gihflow/run/rank.hpp"
#include "gihflow/run/sample.hpp"
#include "gihflow/run/verify.hpp"

using namespace gihflow;

namespace {

template <class S>
S small() {
  S setting;
  setting.sampling.count = 40;
  setting.sampling.length = 30;
  if constexpr (std::is_base_of_v<StageSetting, S>) setting.stages = parse_schedule("cwa:2");
  return setting;
}

CompareSetting small_comparison() {
  auto setting = small<CompareSetting>();
  setting.flow.outputs = 4;
  setting.flow.first_output = 1;
  setting.learning_rates = {1.0, 0.5};
  return setting;
}

}  // namespace

TEST_CASE("a comparison records engine, device and tolerances that were used") {
  CompareSetting setting = small_comparison();
  const auto recorded = [](const ComparisonFile& result) {
    return setting_of_config(result.provenance.config, "config");
  };
  const ComparisonFile result = compare(setting);
  CHECK(recorded(result).engine != Engine::automatic);
  CHECK(recorded(result).device == Device::cpu);  // faster for so few chains
  CHECK(recorded(result).flow.rtol == 1e-10);
  CHECK(recorded(result).flow.atol == 1e-13);

  setting.engine = Engine::sparse;
  setting.device = Device::cpu;
  setting.flow.rtol = 1e-8;
  const ComparisonFile looser = compare(setting);
  CHECK(recorded(looser).engine == Engine::sparse);
  CHECK(recorded(looser).device == Device::cpu);
  CHECK(recorded(looser).flow.rtol == 1e-8);
  CHECK(looser.tokens_hash == result.tokens_hash);
}

TEST_CASE("every function computes on the same chains with the same engine") {
  Problem problem = prepare(small<TrainSetting>());
  const Objectives objectives = make_objectives(problem);
  CHECK(problem.setting.engine != Engine::automatic);
  CHECK(problem.setting.device == Device::cpu);  // faster for so few chains
  CHECK(objectives.validation != nullptr);
  CHECK(compare(small_comparison()).tokens_hash == objectives.tokens_hash);

  auto sampling = small<SampleSetting>();
  CHECK(sample(sampling).tokens_hash != objectives.tokens_hash);
  sampling.sampling.purpose = Purpose::train;
  const Sample drawn = sample(sampling);
  CHECK(drawn.tokens_hash == objectives.tokens_hash);
  CHECK(drawn.sequences.count == 40);
  sampling.sampling.purpose = Purpose::validation;
  CHECK(sample(sampling).tokens_hash == objectives.validation_hash);

  auto ranking = small<RankSetting>();
  CHECK(rank(ranking).information_set().lags == 0b11);

  Problem evaluated = prepare(small<EvaluateSetting>());
  CHECK(make_objectives(evaluated).validation == nullptr);
  const Evaluation evaluation = evaluate(evaluated);
  CHECK(evaluation.engine == objectives.training->engine());
  CHECK(evaluation.loss == evaluate(*objectives.training, problem.start()).loss);
  CHECK(evaluation.errors.loss > 0);

  bool predicted = false;
  for (const Prediction& prediction : predict(small<PredictSetting>())) {
    if (prediction.quantity != Quantity::information_set) continue;
    CHECK(prediction.sharp_set == "{1,2}");
    predicted = true;
  }
  CHECK(predicted);
}

TEST_CASE("verify tells a setting to train from how to compute and where to write") {
  VerifySetting setting;
  setting.threads = 2;
  setting.engine = Engine::sparse;
  setting.output = "verify.h5";
  setting.sampling.seed = 3;
  CHECK_FALSE(has_own_setting(Setting(setting)));
  CHECK(prepare(setting).provenance().config.find("engine") == std::string::npos);
  setting.sampling.count = 300;
  CHECK(has_own_setting(Setting(setting)));
}
