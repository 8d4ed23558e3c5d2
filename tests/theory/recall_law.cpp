#include "gihflow/theory/recall_law.hpp"

#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("recall is answered as (8.5) says from length 64 to 2^20") {
  for (int power = 6; power <= 20; power += 2) {
    const Index length = Index{1} << power;
    const Index asked = std::clamp(Index{1} << 24 >> power, Index{16}, Index{3000});
    const double real = static_cast<double>(length),
                 a = recall_threshold(length - 1, ordinary, 0.7);
    const Accuracy found =
        model_accuracy(*recall_sequences(length, asked), induction_head(), with_scale(a));
    MESSAGE("L = ", length, ": ", found.share, " ± ", found.error, " of ", asked);
    // Counts are normal for L far above the vocabulary only: 0.06 more at L = 64.
    const double not_normal = 0.25 * std::sqrt(static_cast<double>(ordinary) / real);
    CHECK(std::abs(found.share - 0.7) < 3.5 * found.error + not_normal);
  }
}

TEST_CASE("the error law of orthogonal signals has its known values") {
  CHECK(std::abs(recall_accuracy(1500, 15, 0.0) - 1.0 / 15.0) < 1e-9);
  CHECK(std::abs(recall_signal(0.5, 15) - 1.694) < 0.0005);
  CHECK(std::abs(recall_signal(0.99, 15) - 4.412) < 0.0005);
  CHECK(std::abs(recall_accuracy(4096, 15, 4.0) - 0.910) < 0.001);
  CHECK(std::abs(recall_accuracy(1 << 20, 15, 6.0) - 0.440) < 0.001);
  CHECK(std::abs(recall_accuracy(1 << 20, 15, recall_threshold(1 << 20, 15, 0.7)) - 0.7) < 1e-8);
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

TEST_CASE("lengths and scales that the laws give are each other's inverses") {
  for (const double share : {0.3, 0.5, 0.99}) {
    const double length = recall_length(share, ordinary, 6.0);
    CHECK(std::abs(recall_accuracy(static_cast<Index>(length), ordinary, 6.0) - share) < 1e-5);
  }
  for (const double a : {0.5, 3.0, 9.0}) {
    const double t = recall_time(255, ordinary, 0.01, 0.01, a);
    CHECK(std::abs(recall_scale(255, ordinary, 0.01, 0.01, t) - a) < 1e-9);
    // ȧ is the slope of that curve.
    const double step = 1e-4;
    const double slope = (recall_time(255, ordinary, 0.01, 0.01, a + step) -
                          recall_time(255, ordinary, 0.01, 0.01, a - step)) /
                         (2.0 * step);
    CHECK(std::abs(recall_speed(255, ordinary, 0.01, a) * slope - 1.0) < 1e-6);
  }
  CHECK(recall_scale(255, ordinary, 0.01, 0.3, 0.0) == 0.3);
  // 253 of 255 positions bear no trigger; one of them matches.
  CHECK(std::abs(recall_rate(255, ordinary, 0.0) - (254.0 - 252.0 / 15.0)) < 1e-12);
}

TEST_CASE("the speed of an induction head's scale is that of the objective, sequence by sequence") {
  const Model model = induction_head();
  const auto source = recall_sequences(60, 200);
  const auto objective = make_objective(model, *source);
  std::vector<Token> tokens(61);
  std::vector<double> targets(vocabulary);
  std::vector<Index> counts;
  for (Index n = 0; n < source->count(); ++n) {
    source->draw(n, tokens, targets);
    Index count = 0;
    for (Index l = 1; l < 60; ++l) count += tokens[static_cast<std::size_t>(l)] == tokens.back();
    counts.push_back(count);
  }
  for (const double a : {0.0, 0.7, 3.0, 8.0}) {
    const Parameters at = with_scale(a);
    Gradient gradient;
    objective->gradient({at.p(), at.w, a}, gradient, false);
    CHECK(testing::close(recall_speed(counts, 59, model.epsilon, a), -gradient.a, 200, 10.0));
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
