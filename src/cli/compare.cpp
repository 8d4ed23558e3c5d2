#include "gihflow/run/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

double last(const std::vector<double>& values, std::size_t size) {
  return values.size() == size ? values.back() : absent;
}

std::string order_text(const ObservedOrder& order) {
  return order.order ? fmt::format("{:.3f}", *order.order) : "-";
}

std::string stage_text(const ComparedStage& stage, std::size_t number_of_stage) {
  std::string text =
      fmt::format("stage {} {}\n", number_of_stage, to_string(Schedule{stage.stage}));
  const double sharpest = *std::max_element(stage.sharpness.begin(), stage.sharpness.end());
  text += fmt::format(
      "lambda_max along the flow: {} at its start, {} at its end, {} at most; learning rates "
      "below 2/lambda_max = {} are stable throughout\n",
      number(stage.sharpness.front()), number(stage.sharpness.back()), number(sharpest),
      number(2.0 / sharpest));
  if (stage.to_flow.order) {
    text += fmt::format(
        "observed order in the learning rate: {} against the flow, {} against the modified "
        "flow, from rates {} at t = {} to {}\n",
        order_text(stage.to_flow), order_text(stage.to_modified),
        fmt::join(stage.fitted_rates, ", "),
        number(stage.t[static_cast<std::size_t>(stage.fit_begin)]),
        number(stage.t[static_cast<std::size_t>(stage.fit_end - 1)]));
  } else {
    text +=
        "observed order in the learning rate: none, it takes two stable rates of which the "
        "larger one makes five steps before equilibrium\n";
  }
  Table table;
  std::vector<std::string> head{"rate", "leaves at"};
  for (const char letter : stage.letters)
    head.push_back(head.size() == 2 ? fmt::format("end: {}", letter) : std::string(1, letter));
  for (const char* title : {"loss", "to modified", "C_D grows", "modified", "outcome"})
    head.push_back(title);
  table.add(head);
  const std::size_t size = stage.t.size();
  for (const ComparedRate& rate : stage.rates) {
    std::vector<std::string> row{number(rate.learning_rate),
                                 rate.leaves_at ? number(*rate.leaves_at) : "never"};
    const bool whole = rate.to_flow.size() == size;
    for (std::size_t k = 0; k < stage.letters.size(); ++k)
      row.push_back(small_number(whole ? rate.to_flow.back().blocks[k] : absent));
    row.push_back(small_number(whole ? rate.to_flow.back().loss : absent));
    row.push_back(
        small_number(rate.to_modified.size() == size ? rate.to_modified.back().all : absent));
    row.push_back(fmt::format("x {}", number(std::exp(last(rate.growth, size)))));
    row.push_back(fmt::format("x {}", number(std::exp(last(rate.modified_growth, size)))));
    row.push_back(to_string(rate.outcome));
    table.add(row);
  }
  text += table.text();
  for (const ComparedRate& rate : stage.rates) {
    if (rate.modified_outcome == Outcome::reached || rate.to_modified.empty()) continue;
    text +=
        fmt::format("modified flow at rate {}: {} after t = {}\n", number(rate.learning_rate),
                    to_string(rate.modified_outcome), number(stage.t[rate.to_modified.size() - 1]));
  }
  return text;
}

Json json_order(const ObservedOrder& order) {
  return {{"order", json_optional(order.order)}, {"pairs", order.pairs}, {"points", order.points}};
}

Json json_distances(const std::vector<BlockDistance>& distances, const std::string& letters) {
  Json out;
  for (std::size_t k = 0; k < letters.size(); ++k)
    out[letters.substr(k, 1)] =
        json_list(distances, [k](const BlockDistance& distance) { return distance.blocks[k]; });
  out["all"] = json_list(distances, [](const BlockDistance& distance) { return distance.all; });
  out["loss"] = json_list(distances, [](const BlockDistance& distance) { return distance.loss; });
  return out;
}

Json json_rate(const ComparedRate& rate, const std::string& letters) {
  return {{"learning_rate", rate.learning_rate},
          {"outcome", to_string(rate.outcome)},
          {"leaves_at", json_optional(rate.leaves_at)},
          {"distance", json_distances(rate.to_flow, letters)},
          {"modified_outcome", to_string(rate.modified_outcome)},
          {"modified_distance", json_distances(rate.to_modified, letters)},
          {"growth", rate.growth},
          {"modified_growth", rate.modified_growth},
          {"growth_error", rate.growth_error}};
}

Json json_stage(const ComparedStage& stage) {
  return {{"trained", stage.stage.blocks.text()},
          {"duration", stage.stage.duration},
          {"outcome", to_string(stage.flow_outcome)},
          {"t", stage.t},
          {"loss", json_list(stage.flow, [](const Snapshot& snapshot) { return snapshot.loss; })},
          {"sharpness", stage.sharpness},
          {"stable_rates", stage.stable_rates},
          {"fitted_rates", stage.fitted_rates},
          {"fit_begin", stage.fit_begin},
          {"fit_end", stage.fit_end},
          {"flow", json_order(stage.to_flow)},
          {"modified_flow", json_order(stage.to_modified)},
          {"rates", json_list(stage.rates, [&](const ComparedRate& rate) {
             return json_rate(rate, stage.letters);
           })}};
}

// The worst outcome of the flow and of all descents. A descent that leaves the flow is not a
// failure.
Outcome outcome_of(const Comparison& comparison) {
  if (interrupt_requested()) return Outcome::interrupted;
  for (const ComparedStage& stage : comparison.stages) {
    if (stage.flow_outcome != Outcome::reached) return stage.flow_outcome;
    for (const ComparedRate& rate : stage.rates) {
      if (rate.outcome == Outcome::step_limit) return rate.outcome;
    }
  }
  return Outcome::reached;
}

}  // namespace

int compare(const Invocation& invocation) {
  const Problem problem = prepare(invocation);
  const Setting& setting = problem.setting;
  if (answered_dry_run(problem)) return 0;
  announce_cost(problem);
  ProgressBar bar(setting.quiet);
  const ComparisonFile result = gihflow::compare(problem, &bar);
  bar.clear();
  const Outcome outcome = outcome_of(result.comparison);
  if (outcome == Outcome::interrupted) return exit_code(outcome);
  const std::vector<ComparedStage>& stages = result.comparison.stages;
  if (setting.json) {
    print(to_text({{"stages", json_list(stages, json_stage)}, {"output", setting.output}}));
  } else {
    std::string text;
    for (std::size_t k = 0; k < stages.size(); ++k) text += stage_text(stages[k], k + 1) + "\n";
    print(text + "written to " + setting.output + "\n");
  }
  return exit_code(outcome);
}

}  // namespace gihflow::cli
