#include "gihflow/theory/quantity.hpp"

#include <fmt/format.h>

#include <array>

#include "gihflow/base/subsets.hpp"

namespace gihflow {

namespace {

struct Row {
  Quantity quantity;
  const char *name, *phase, *units, *label;
};

using enum Quantity;

/// In the order of the enumerators.
constexpr std::array rows = {
    Row{information_set, "information_set", "all", "1", "information set S*"},
    Row{information_gap, "information_gap", "all", "1", "information gap"},
    Row{normalizer, "normalizer", "all", "1", "C_D"},
    Row{largest_curvature, "largest_curvature", "all", "1", "largest curvature times C_D"},
    Row{descent_normalizer, "descent_normalizer", "all", "1",
        "C_D / learning rate after the catapult"},
    Row{back_off_share, "back_off_share", "all", "1", "share of sets other than {set} at rest"},
    Row{back_off_set, "back_off_set", "all", "1", "set that has most of it"},
    Row{back_off_a, "back_off_a", "all", "1", "a at rest with c"},
    Row{takeover_set, "takeover_set", "I", "1", "set that takes over"},
    Row{log_odds_slope, "log_odds_slope", "I", "1/flow time",
        "log-odds slope of {set} against {other}"},
    Row{takeover_time, "takeover_time", "I", "flow time", "time to p = {share}"},
    Row{takeover_bound, "takeover_bound", "I", "flow time",
        "upper bound of the time to p = {share}"},
    Row{critical_logit, "critical_logit", "I", "1", "own logits above which {set} takes over"},
    Row{gamma, "gamma", "II", "1", "gamma of head {head} against lag {lag}"},
    Row{concentration_limit, "concentration_limit", "II", "flow time",
        "lim t(1 - attention) of head {head}"},
    Row{concentration_time, "concentration_time", "II", "flow time", "time to attention {share}"},
    Row{final_unattended, "final_unattended", "II", "1",
        "1 - attention of head {head} at the end of the stage"},
    Row{growth_speed, "growth_speed", "III", "1/flow time", "speed of a at a = 0"},
    Row{growth_exponent, "growth_exponent", "III", "1", "growth exponent"},
    Row{slow_growth_constant, "slow_growth_constant", "III", "1/flow time",
        "constant of exponent 1"},
    Row{fast_growth_constant, "fast_growth_constant", "III", "1/flow time",
        "constant of exponent 2"},
    Row{plateau, "plateau", "III", "1", "plateau of a"},
    Row{final_a, "final_a", "III", "1", "a at the end of the stage"},
    Row{gih_loss, "gih_loss", "limit", "nats", "loss of GIH(S*)"},
    Row{entropy_floor, "entropy_floor", "limit", "nats", "entropy floor"},
    Row{recall_plateau, "recall_plateau", "recall", "flow time", "end of the plateau of recall"},
    Row{recall_time, "recall_time", "recall", "flow time", "time to {share} of answers right"},
    Row{recall_rate, "recall_rate", "recall", "1/flow time", "lim e^a / flow time"},
    Row{recall_length, "recall_length", "recall", "1", "length at which half of answers are right"},
    Row{unattended, "unattended", "II", "1", "1 - attention of head {head}, worst of all t"},
    Row{unused_motion, "unused_motion", "II", "1", "motion of unused heads"},
    Row{growth_time, "growth_time", "III", "flow time", "time to reach a, worst of all a"},
    Row{recall_growth, "recall_growth", "recall", "flow time",
        "time to reach a on recall, worst of all a"},
    Row{recall_accuracy, "recall_accuracy", "recall", "1", "share of answers right"},
    Row{normalizer_drift, "normalizer_drift", "all", "1", "drift of log C_D"},
    Row{energy_residual, "energy_residual", "all", "1", "energy law, residual / drop of the loss"},
    Row{outcome, "outcome", "all", "1", "every run reached its end"}};

const Row& row_of(Quantity quantity) {
  return rows[static_cast<std::size_t>(quantity)];
}

static_assert([] {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].quantity != static_cast<Quantity>(i)) return false;
  return true;
}());

}  // namespace

std::string to_string(Quantity quantity) {
  return row_of(quantity).name;
}

std::string phase_of(Quantity quantity) {
  return row_of(quantity).phase;
}

std::string units_of(Quantity quantity) {
  return row_of(quantity).units;
}

std::vector<std::pair<std::string, std::string>> members_of(Quantity quantity,
                                                            const Subject& subject) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"set", to_string_subset(subject.set)},
      {"other", to_string_subset(subject.other)},
      {"head", std::to_string(subject.head + 1)},
      {"lag", std::to_string(subject.lag)}};
  // A quantity has the members that its label names.
  std::erase_if(members, [&](const auto& member) {
    return std::string(row_of(quantity).label).find("{" + member.first + "}") == std::string::npos;
  });
  return members;
}

std::string label(Quantity quantity, const Subject& subject) {
  return fmt::format(
      fmt::runtime(row_of(quantity).label), fmt::arg("set", to_string_subset(subject.set)),
      fmt::arg("other", to_string_subset(subject.other)), fmt::arg("head", subject.head + 1),
      fmt::arg("lag", subject.lag), fmt::arg("share", 1.0 - prediction_delta));
}

}  // namespace gihflow
