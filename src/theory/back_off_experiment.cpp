#include "gihflow/theory/back_off.hpp"

#include <fmt/format.h>

#include "gihflow/base/size.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

constexpr Index length = 30;

/// Flies a stage and compares share and a at its end.
void compare_rest(Verifier& verifier, const std::shared_ptr<const Objective>& objective,
                  const JointRest& rest, const Parameters& start, const Stage& stage,
                  const std::string& setting, double tolerance, const std::string& regime) {
  const Index set = subset_index(0b011, start.heads);
  const Parameters end = verifier.fly(objective, start, stage, 2, 0.0).back().parameters;
  verifier.compare(Quantity::back_off_share, {.set = 0b011}, setting, 1.0 - rest.p[size(set)],
                   1.0 - point_of(end).p[size(set)], tolerance, regime);
  verifier.compare(Quantity::back_off_a, {}, setting, rest.a, end.a, tolerance, regime);
}

}  // namespace

/// (7.6) in the paper's setting but for short contexts: with one-hot attention, where it is exact,
/// and with all blocks at once.
void back_off_experiment(Verifier& verifier) {
  const Model model = model_with(0.01);
  const std::shared_ptr<const Objective> objective =
      make_objective(model, *verifier.sequences(0.1, length, 4000));
  const Parameters one_hot = initial_parameters(model, {one_hot_logit, 0.0, 0.01, 0.01});
  const JointRest rest = joint_rest(*objective, subset_index(0b011, model.heads), one_hot);
  const std::string chains = fmt::format("L = {}, 4,000 chains", length);
  compare_rest(verifier, objective, rest, one_hot, {.blocks = "ca", .duration = 1e6},
               "one-hot attention", 1e-3, "(7.6), exact as t -> infinity; " + chains);
  compare_rest(verifier, objective, rest, initial_parameters(model, {3.0, 0.01, 0.01, 0.01}),
               {.blocks = "cwa", .duration = 50000.0}, "all blocks at once", 0.3,
               "(7.6), up to the attention that is still spread at t = 50,000; " + chains);
}

}  // namespace gihflow
