#include "gihflow/theory/prediction.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/back_off.hpp"
#include "gihflow/theory/measurement.hpp"
#include "support/settings.hpp"
#include "support/tolerance.hpp"

using namespace gihflow;
using gihflow::testing::close;

namespace {

/// The paper's setting at small size, trained in three stages.
struct Case {
  Model model;
  std::unique_ptr<SequenceSource> sequences;
  Kernels kernels;
  std::unique_ptr<Objective> infinite, trained;
  PredictionInput input;

  explicit Case(double a) {
    SamplingOptions sampling;
    sampling.count = 100;
    sampling.purpose = Purpose::test;
    sequences = sample_prior(sampling);
    kernels = draw_kernels(sampling.prior, sampling.seed, Purpose::test, sampling.count);
    infinite = make_infinite_objective(model, kernels);
    trained = make_objective(model, *sequences);
    input = {initial_parameters(model, {3.0, 0.01, 0.01, a}),
             parse_schedule("c:2000,w:1e6,a:200"),
             &kernels,
             infinite.get(),
             trained.get(),
             sequences.get(),
             small_entries(sampling.prior)};
  }

  Trajectory fly() const {
    TrainingState state = begin_training(input.start);
    FlowOptions options;
    options.outputs = 60;
    train_flow(state, input.schedule, *trained, nullptr, options, nullptr);
    return state.trajectory;
  }
};

/// Quantities that no trajectory shows.
const std::set<Quantity> unseen = {Quantity::information_set,
                                   Quantity::information_gap,
                                   Quantity::takeover_set,
                                   Quantity::largest_curvature,
                                   Quantity::descent_normalizer,
                                   Quantity::back_off_set,
                                   Quantity::back_off_share,
                                   Quantity::back_off_a,
                                   Quantity::takeover_bound,
                                   Quantity::critical_logit,
                                   Quantity::gamma,
                                   Quantity::growth_speed,
                                   Quantity::growth_exponent,
                                   Quantity::slow_growth_constant,
                                   Quantity::fast_growth_constant,
                                   Quantity::entropy_floor};

}  // namespace

TEST_CASE(
    "every quantity has a name, a phase and units of its own, and its words name its subject") {
  const Subject subject{.set = 0b1, .other = 0b101, .head = 1, .lag = 3};
  std::set<std::string> names, labels;
  for (int i = 0; i <= static_cast<int>(Quantity::outcome); ++i) {
    const Quantity q = static_cast<Quantity>(i);
    names.insert(to_string(q));
    labels.insert(label(q, subject));
    CHECK(!phase_of(q).empty());
    CHECK(!units_of(q).empty());
  }
  CHECK(names.size() == static_cast<std::size_t>(Quantity::outcome) + 1);
  CHECK(labels.size() == names.size());
  CHECK(to_string(Quantity::log_odds_slope) == "log_odds_slope");
  CHECK(label(Quantity::log_odds_slope, subject) == "log-odds slope of {1} against {1,3}");
  CHECK(label(Quantity::gamma, subject) == "gamma of head 2 against lag 3");
  CHECK(label(Quantity::concentration_limit, subject) == "lim t(1 - attention) of head 2");
  CHECK(label(Quantity::takeover_time, subject) == "time to p = 0.99");
  using Members = std::vector<std::pair<std::string, std::string>>;
  CHECK(members_of(Quantity::log_odds_slope, subject) ==
        Members{{"set", "{1}"}, {"other", "{1,3}"}});
  CHECK(members_of(Quantity::gamma, subject) == Members{{"head", "2"}, {"lag", "3"}});
  CHECK(members_of(Quantity::final_a, subject).empty());
}

TEST_CASE(
    "what a run shows of each prediction is a number, near the prediction of what it trains") {
  const Case c(0.01);
  const Trajectory trajectory = c.fly();
  REQUIRE(trajectory.stages.size() == 3);
  std::set<Quantity> measured;
  std::set<std::pair<std::string, std::string>> lines;
  for (const Prediction& p : predictions(c.input)) {
    CAPTURE(label(p.quantity, p.subject));
    CHECK(lines.emplace(to_string(p.quantity), label(p.quantity, p.subject)).second);
    const double seen = measure(p.quantity, p.subject, trajectory);
    CHECK(std::isnan(seen) == unseen.contains(p.quantity));
    if (std::isnan(seen)) continue;
    measured.insert(p.quantity);
    if (p.quantity == Quantity::normalizer) CHECK(close(seen, p.trained, 7, 100.0));
    if (p.quantity == Quantity::log_odds_slope || p.quantity == Quantity::takeover_time)
      CHECK(std::abs(seen / p.trained - 1.0) < 0.05);
    if (p.quantity == Quantity::final_unattended) CHECK(std::abs(seen / p.trained - 1.0) < 0.1);
  }
  CHECK(measured.size() + unseen.size() - 1 ==  // a run has one of the two growth constants
        static_cast<std::size_t>(Quantity::entropy_floor));
}

TEST_CASE("a schedule of c and a at once has the edge of stability beside a staged one") {
  Case c(0.01);
  const auto staged = predictions(c.input);
  c.input.schedule = parse_schedule("c:10,cwa:50");
  const auto joint = predictions(c.input);
  const auto of = [](const std::vector<Prediction>& lines, Quantity quantity) {
    return std::ranges::find(lines, quantity, &Prediction::quantity);
  };
  CHECK(of(staged, Quantity::largest_curvature) == staged.end());
  const auto curvature = of(joint, Quantity::largest_curvature);
  const auto rest = of(joint, Quantity::descent_normalizer);
  REQUIRE(curvature != joint.end());
  REQUIRE(rest != joint.end());
  CHECK(curvature->sharp > curvature->trained);  // attention that is spread curves less
  CHECK(close(rest->trained, 0.65 * curvature->trained, 10));
  // And where c and a rest together.
  CHECK(of(staged, Quantity::back_off_share) == staged.end());
  const auto share = of(joint, Quantity::back_off_share), a = of(joint, Quantity::back_off_a);
  const auto set = of(joint, Quantity::back_off_set);
  REQUIRE(share != joint.end());
  REQUIRE(a != joint.end());
  REQUIRE(set != joint.end());
  const JointRest expected =
      joint_rest(*c.input.trained, subset_index(0b011, 3),
                 initial_parameters(c.input.trained->model(), {1000.0, 0.0, 0.01, 0.01}));
  CHECK(share->trained == 1.0 - expected.p[size(subset_index(0b011, 3))]);
  CHECK(a->trained == expected.a);
  CHECK(set->trained_set != "{1,2}");
  const Trajectory trajectory = c.fly();
  const Parameters& end = trajectory.stages.back().snapshots.back().parameters;
  CHECK(measure(Quantity::back_off_a, {}, trajectory) == end.a);
  CHECK(measure(share->quantity, share->subject, trajectory) ==
        1.0 - point_of(end).p[size(subset_index(0b011, 3))]);
}

TEST_CASE("predictions for recall are what its training shows") {
  SamplingOptions sampling = testing::recall_sampling(8, 400, 100);
  const auto sequences = sample_task(sampling);
  Model model;
  model.vocabulary = 8;
  const auto trained = make_objective(model, *sequences);
  PredictionInput input;
  input.start = initial_parameters(model, {3.0, 0.01, 0.01, 0.01});
  input.schedule = parse_schedule("c:200,w:50000,a:300");
  input.trained = trained.get();
  input.sequences = sequences.get();
  TrainingState state = begin_training(input.start);
  FlowOptions options;
  options.outputs = 60;
  train_flow(state, input.schedule, *trained, nullptr, options, nullptr);
  const std::map<Quantity, double> tolerances = {{Quantity::takeover_time, 0.05},
                                                 {Quantity::recall_plateau, 0.08},
                                                 {Quantity::recall_rate, 0.1},
                                                 {Quantity::final_a, 0.02}};
  std::set<Quantity> found;
  for (const Prediction& p : predictions(input)) {
    CAPTURE(label(p.quantity, p.subject));
    found.insert(p.quantity);
    if (p.quantity == Quantity::information_set) CHECK(p.sharp_set == "{1}");
    if (p.quantity == Quantity::takeover_set) CHECK(p.trained_set == "{1}");
    if (!tolerances.contains(p.quantity)) continue;
    const double seen = measure(p.quantity, p.subject, state.trajectory);
    const double predicted = std::isnan(p.trained) ? p.sharp : p.trained;
    CHECK(std::abs(seen / predicted - 1.0) < tolerances.at(p.quantity));
  }
  for (const auto& [quantity, tolerance] : tolerances) CHECK(found.contains(quantity));
  CHECK(found.contains(Quantity::recall_time));
  CHECK(found.contains(Quantity::recall_length));
  CHECK(!found.contains(Quantity::growth_exponent));
}

TEST_CASE("measurements are those of the subject, by hand") {
  const Case c(0.01);
  Trajectory trajectory = c.fly();
  const auto& s = trajectory.stages[1].snapshots;
  for (Index head = 0; head < 3; ++head) {
    const double* w = s.back().parameters.w.data() + 3 * head;
    double others = 0.0;
    for (Index j = 0; j < 3; ++j)
      if (j != head) others += std::exp(w[j] - w[head]);
    const double left = others / (1.0 + others);
    CHECK(close(measure(Quantity::final_unattended, {.head = head}, trajectory), left, 3, 10.0));
    CHECK(close(measure(Quantity::concentration_limit, {.head = head}, trajectory),
                left * s.back().t, 3, 10.0));
  }
  CHECK(measure(Quantity::final_a, {}, trajectory) ==
        trajectory.stages[2].snapshots.back().parameters.a);
  const double forth = measure(Quantity::log_odds_slope, {.set = 0b1, .other = 0b10}, trajectory);
  CHECK(close(measure(Quantity::log_odds_slope, {.set = 0b10, .other = 0b1}, trajectory), -forth, 3,
              10.0));
  trajectory.stages.pop_back();
  CHECK(std::isnan(measure(Quantity::final_a, {}, trajectory)));
  CHECK(std::isnan(measure(Quantity::gih_loss, {}, {})));
}

TEST_CASE("with a = 0 nothing takes over") {
  const Case c(0.0);
  bool found = false;
  for (const Prediction& p : predictions(c.input)) {
    if (p.quantity == Quantity::takeover_set) {
      found = true;
      CHECK(p.sharp_set == "none");
      CHECK(p.trained_set == "none");
    }
    if (p.quantity == Quantity::takeover_time) CHECK(std::isinf(p.trained));
  }
  CHECK(found);
}
