#include "gihflow/theory/recall_law.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "gihflow/flow/flow.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/theory/accuracy.hpp"
#include "gihflow/theory/distance.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;

namespace {

constexpr Index vocabulary = 16, ordinary = 15;

/// One head that sees lag 1, and all the weight on it.
Model induction_head() {
  Model model;
  model.vocabulary = vocabulary;
  model.window = model.heads = model.degree = 1;
  return model;
}
Parameters with_scale(double a) {
  Parameters parameters = initial_parameters(induction_head(), {1.0, 0.0, 1.0, a});
  parameters.log_c_squared = {-std::numeric_limits<double>::infinity(), 0.0};
  parameters.c_sign = {0, 1};
  return parameters;
}
std::unique_ptr<SequenceSource> recall_sequences(Index length, Index count) {
  return sample_task(testing::recall_sampling(vocabulary, count, length));
}

}  // namespace

TEST_CASE("the error law of orthogonal signals has its known values") {
  CHECK(std::abs(recall_accuracy(1500, 15, 0.0) - 1.0 / 15.0) < 1e-9);
  CHECK(std::abs(recall_signal(0.5, 15) - 1.694) < 0.0005);
  CHECK(std::abs(recall_signal(0.99, 15) - 4.412) < 0.0005);
  CHECK(std::abs(recall_accuracy(4096, 15, 4.0) - 0.910) < 0.001);
  CHECK(std::abs(recall_accuracy(1 << 20, 15, 6.0) - 0.440) < 0.001);
  // Two signals: Φ(g/√2).
  CHECK(std::abs(recall_signal(0.5 * std::erfc(-0.5), 2) - 1.0) < 1e-8);
}

TEST_CASE("an induction head recalls as often as the law says, at lengths from 2^10 to 2^16") {
  for (const auto& [length, count] :
       std::vector<std::pair<Index, Index>>{{1 << 10, 3000}, {1 << 13, 1500}, {1 << 16, 300}}) {
    for (const double level : {0.3, 0.5, 0.9}) {
      const double a = std::log1p(recall_signal(level, ordinary) *
                                  std::sqrt(static_cast<double>(length - 1) / ordinary));
      const Accuracy found =
          model_accuracy(*recall_sequences(length, count), induction_head(), with_scale(a));
      // Counts are integers: the law of normal variates is off by O(1/√(L/d')).
      const double lattice = 0.4 / std::sqrt(static_cast<double>(length) / ordinary);
      CHECK(std::abs(found.share - level) < 3.9 * found.error + lattice);
    }
  }
}

TEST_CASE("the scale of an induction head jumps when the closed form says") {
  const Model model = induction_head();
  const auto source = recall_sequences(256, 2000);
  const auto objective = make_objective(model, *source);
  TrainingState state = begin_training(with_scale(0.01));
  FlowOptions options;
  options.outputs = 40;
  train_flow(state, parse_schedule("a:200"), *objective, nullptr, options, nullptr);
  double before = 0.0;
  for (const Snapshot& snapshot : state.trajectory.stages.front().snapshots) {
    if (snapshot.t < 5.0) continue;
    const double predicted = recall_time(255, ordinary, model.epsilon, 0.01, snapshot.parameters.a);
    CHECK(std::abs(predicted / snapshot.t - 1.0) < 0.05);
    before = snapshot.parameters.a;
  }
  CHECK(before > 5.0);  // past the jump
}

TEST_CASE("the best training length minimises the time to the target") {
  const double best = best_recall_length(1 << 20, 0.99, ordinary, 0.01);
  CHECK(std::abs(best - 124.0) < 1.0);
  const double a = std::log(recall_signal(0.99, ordinary) * std::sqrt(1048576.0 / ordinary));
  const auto time = [&](Index length) { return recall_time(length - 1, ordinary, 0.01, 0.01, a); };
  CHECK(time(124) < time(64));
  CHECK(time(124) < time(256));
}
