#include "cli/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow::cli {

namespace {

constexpr std::size_t most_subsets_shown = 4;
constexpr double least_weight_shown = 1e-3;
constexpr Index most_lags_shown = 12;

std::string sentence_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::running:
      return "still running, or killed, when this was written";
    case Outcome::reached:
      return "the end of the schedule was reached";
    case Outcome::step_limit:
      return "--max-steps was reached";
    case Outcome::wall_time:
      return "--max-wall was reached";
    case Outcome::interrupted:
      return "interrupted";
    case Outcome::step_underflow:
      return "the step size fell below what flow time can resolve";
    case Outcome::non_finite:
      return "loss, gradient or state was not finite";
  }
  return "";
}

std::string stages_table(const RunFile& run) {
  Table table;
  std::vector<std::string> head{"stage",           "flow time",   "rhs",
                                "accepted",        "rejected",    "loss drop",
                                "energy residual", "of the drop", "gauge drift"};
  std::vector<Certificates> proofs;
  std::vector<std::string> conserved;  // columns that some stage conserves
  for (const StageRecord& stage : run.state.trajectory.stages) {
    proofs.push_back(certificates(stage));
    for (const auto& [name, drift] : proofs.back().drifts)
      if (std::find(conserved.begin(), conserved.end(), name) == conserved.end())
        conserved.push_back(name);
  }
  for (const std::string& name : conserved) head.push_back(name + " drift");
  table.add(head);
  for (std::size_t k = 0; k < run.state.trajectory.stages.size(); ++k) {
    const StageRecord& stage = run.state.trajectory.stages[k];
    const Certificates& proof = proofs[k];
    const double reached = stage.snapshots.empty() ? 0.0 : stage.snapshots.back().t;
    std::vector<std::string> row{
        fmt::format("{} {}", k + 1, stage.stage.blocks.text()),
        reached == stage.stage.duration
            ? number(reached)
            : fmt::format("{} of {}", number(reached), number(stage.stage.duration)),
        fmt::format("{}", stage.statistics.rhs_evaluations),
        fmt::format("{}", stage.statistics.accepted_steps),
        fmt::format("{}", stage.statistics.rejected_steps),
        number(proof.loss_drop),
        small_number(proof.energy_residual),
        small_number(proof.relative_residual),
        small_number(proof.gauge_drift)};
    for (const std::string& name : conserved) {
      const auto found = std::find_if(proof.drifts.begin(), proof.drifts.end(),
                                      [&](const auto& entry) { return entry.first == name; });
      row.push_back(found == proof.drifts.end() ? "" : small_number(found->second));
    }
    table.add(row);
  }
  return table.text();
}

// Failures and notes, one line per stage.
std::string stage_remarks(const RunFile& run) {
  std::string text;
  for (std::size_t k = 0; k < run.state.trajectory.stages.size(); ++k) {
    const StageRecord& stage = run.state.trajectory.stages[k];
    const double rise = certificates(stage).loss_rise;
    if (rise > 0.0) {
      text += fmt::format("stage {}: the recorded loss rises by {} nats somewhere\n", k + 1,
                          small_number(rise));
    }
    if (stage.statistics.non_finite_steps > 0) {
      text += fmt::format("stage {}: {} steps were rejected for values that are not finite\n",
                          k + 1, stage.statistics.non_finite_steps);
    }
    if (!stage.snapshots.empty() && std::isinf(stage.snapshots.back().loss)) {
      text += fmt::format("stage {}: {}\n", k + 1, infinite_loss);
    }
    for (const IntegratorSwitch& change : stage.switches) {
      text += fmt::format("stage {}: {} to {} at t = {}: {}\n", k + 1, change.from, change.to,
                          number(change.t), change.reason);
    }
    if (!stage.hint.empty()) text += fmt::format("stage {}: {}\n", k + 1, stage.hint);
  }
  return text;
}

std::string weights_line(const Parameters& parameters) {
  const std::vector<double> p = parameters.p();
  const std::vector<std::uint32_t> masks = subsets(parameters.heads, parameters.degree);
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return p[i] > p[j]; });
  std::vector<std::string> parts;
  for (const std::size_t s : order) {
    const bool shown =
        parts.empty() || (parts.size() < most_subsets_shown && p[s] >= least_weight_shown);
    if (shown) parts.push_back(fmt::format("{} {:.6f}", to_string_subset(masks[s]), p[s]));
  }
  return fmt::format("{}", fmt::join(parts, "   "));
}

// Attention of each head on each lag; for wide windows only the largest one and its lag.
std::string attention_table(const RunFile& run, const Parameters& parameters) {
  const std::vector<double> attention = parameters.attention();
  const Index widest = *std::max_element(run.lags.begin(), run.lags.end());
  Table table;
  if (widest <= most_lags_shown) {
    std::vector<std::string> head{"attention"};
    for (Index lag = 1; lag <= widest; ++lag) head.push_back(fmt::format("lag {}", lag));
    table.add(std::move(head));
  } else {
    table.add({"attention", "largest", "at lag"});
  }
  for (Index h = 0; h < parameters.heads; ++h) {
    std::vector<std::string> cells{fmt::format("head {}", h + 1)};
    const auto row = attention.begin() + h * parameters.window;
    const auto lags = run.lags.begin() + h * parameters.window;
    if (widest <= most_lags_shown) {
      cells.resize(static_cast<std::size_t>(widest) + 1);
      for (Index i = 0; i < parameters.window; ++i) {
        cells[static_cast<std::size_t>(lags[i])] = fmt::format("{:.6f}", row[i]);
      }
    } else {
      const auto top = std::max_element(row, row + parameters.window) - row;
      cells.push_back(fmt::format("{:.6f}", row[top]));
      cells.push_back(fmt::format("{}", lags[top]));
    }
    table.add(std::move(cells));
  }
  return table.text();
}

// Loss and accuracy of the model and of the reference predictors on training and validation chains.
std::string losses_table(const RunFile& run) {
  const Snapshot& last = run.state.trajectory.stages.back().snapshots.back();
  const bool validated = !run.validation_hash.empty();
  Table table;
  std::vector<std::string> head{"predictor", "loss (nats)", "accuracy"};
  if (validated) head.insert(head.end(), {"validation loss", "validation accuracy"});
  table.add(std::move(head));
  const auto text = [](const std::optional<double>& value, const std::optional<double>& error) {
    return value ? with_error(*value, error.value_or(NAN)) : std::string("-");
  };
  const auto add = [&](const std::string& name, const PredictorLine& training,
                       const PredictorLine& validation) {
    if (!training.loss && !validation.loss) return;
    std::vector<std::string> cells{name};
    for (const PredictorLine& line : {training, validation}) {
      cells.push_back(text(line.loss, line.loss_error));
      cells.push_back(text(line.accuracy, line.accuracy_error));
    }
    if (!validated) cells.resize(3);
    table.add(std::move(cells));
  };
  const RunAccuracy accuracy = run.accuracy.value_or(RunAccuracy{});
  PredictorLine training{last.loss, {}, accuracy.training, accuracy.training_error};
  if (run.standard_errors) training.loss_error = run.standard_errors->loss;
  const PredictorLine validation{
      last.validation_loss, {}, accuracy.validation, accuracy.validation_error};
  add("trained model", training, validation);
  if (!run.baselines) return table.text();
  const Baselines& on_training = run.baselines->training;
  const Baselines on_validation = run.baselines->validation.value_or(Baselines{});
  const auto compare = [&](const std::string& name, auto line) {
    add(name, line(on_training), line(on_validation));
  };
  const std::vector<Index>& lags = run.baselines->lags;
  compare(fmt::format("GIH({})", set_of_lags(lags)), [](const Baselines& b) {
    return PredictorLine{b.gih_loss, b.gih_loss_error, b.gih_accuracy, b.gih_accuracy_error};
  });
  compare("unigram", [](const Baselines& b) { return b.unigram; });
  if (lags != std::vector<Index>{1}) compare("bigram", [](const Baselines& b) { return b.bigram; });
  const Index longest = lags.empty() ? 0 : lags.back();
  if (longest > static_cast<Index>(lags.size()))
    compare(fmt::format("{}-gram", longest + 1), [](const Baselines& b) { return b.ngram; });
  compare("posterior predictor", [](const Baselines& b) {
    return PredictorLine{b.posterior_loss, b.posterior_loss_error, b.posterior_accuracy,
                         b.posterior_accuracy_error};
  });
  compare("entropy floor", [](const Baselines& b) {
    return PredictorLine{b.entropy_floor, b.entropy_floor_error, b.best_accuracy,
                         b.best_accuracy_error};
  });
  return table.text();
}

Json json_stage(const StageRecord& stage) {
  const Certificates proof = certificates(stage);
  Json json = json_record(stage);
  json.update(json_record(stage.statistics));
  if (stage.hint.empty()) json.erase("hint");
  json["switches"] = json_table(stage.switches);
  json["outputs"] = stage.snapshots.size();
  if (!stage.snapshots.empty()) {
    const Snapshot& last = stage.snapshots.back();
    json["t"] = last.t;
    json["loss"] = last.loss;
    json["validation_loss"] = last.validation_loss;
  }
  json["loss_drop"] = proof.loss_drop;
  json["energy_residual"] = proof.energy_residual;
  json["relative_energy_residual"] = proof.relative_residual;
  json["gauge_drift"] = proof.gauge_drift;
  for (const auto& [name, drift] : proof.drifts) json[name + "_drift"] = drift;
  json["loss_rise"] = proof.loss_rise;
  return json;
}

Json json_final(const RunFile& run) {
  const Parameters& parameters = final_parameters(run.state);
  Json json;
  json["subsets"] = json_list(subsets(parameters.heads, parameters.degree), elements_of);
  json["p"] = parameters.p();
  json["c"] = parameters.c();
  json["log_c_squared"] = parameters.log_c_squared;
  json["c_sign"] = parameters.c_sign;
  add_plain_arrays(json, parameters, parameters);
  json["attention"] = json_array(parameters.attention(), "HM", parameters);
  return json;
}

}  // namespace

std::string run_report(const RunFile& run) {
  const std::vector<StageRecord>& stages = run.state.trajectory.stages;
  std::string text = fmt::format("outcome: {}\n\n", sentence_of(run.state.outcome));
  if (stages.empty() || stages.back().snapshots.empty()) return text;
  const Parameters& parameters = final_parameters(run.state);
  Fields fields;
  fields.add("p", weights_line(parameters));
  fields.add("a", number(parameters.a));
  return fmt::format("{}{}{}\n{}\n{}\n{}", text, stages_table(run), stage_remarks(run),
                     attention_table(run, parameters), fields.text(), losses_table(run));
}

std::string provenance_report(const RunFile& run, const std::string& path) {
  Fields fields;
  fields.add("file", path);
  fields.add("program", fmt::format("gihflow {} (commit {}), schema version {}",
                                    run.provenance.program_version, run.provenance.git_commit,
                                    run.schema_version));
  fields.add("seed", fmt::format("{}", run.provenance.seed));
  fields.add("tokens hash", run.tokens_hash + (run.validation_hash.empty()
                                                   ? std::string()
                                                   : ", validation " + run.validation_hash));
  const Execution& execution = run.execution;
  std::string threads = fmt::format("{} threads", execution.threads);
  if (execution.ranks > 1)
    threads = fmt::format("{} processes of {} thread{} each", execution.ranks, execution.threads,
                          execution.threads == 1 ? "" : "s");
  fields.add("computed",
             fmt::format("{} to {} on {}, {}, {}, {}", execution.started, execution.finished,
                         execution.host, execution.device, threads, execution.instruction_set));
  fields.add("command", execution.command_line);
  if (const std::size_t resumed = execution.processes.size(); resumed > 1) {
    const std::string times = resumed == 2 ? "once" : fmt::format("{} times", resumed - 1);
    fields.add("resumed", fmt::format("{}, {:.2f} s in all", times, execution.wall_seconds));
  }
  return fields.text();
}

std::string run_json(const RunFile& run, const std::string& path) {
  Json json;
  json["file"] = path.empty() ? Json(nullptr) : Json(path);
  json["outcome"] = to_string(run.state.outcome);
  json["schema_version"] = run.schema_version;
  json.update(json_record(run.provenance));
  json["tokens_hash"] = run.tokens_hash;
  if (!run.validation_hash.empty()) json["validation_tokens_hash"] = run.validation_hash;
  json["vocabulary_size"] = run.vocabulary;
  json["stages"] = json_list(run.state.trajectory.stages, json_stage);
  json["final"] = json_final(run);
  if (run.baselines) {
    json["baselines"]["lags"] = run.baselines->lags;
    json["baselines"]["training"] = json_record(run.baselines->training);
    if (run.baselines->validation) {
      json["baselines"]["validation"] = json_record(*run.baselines->validation);
    }
  }
  if (run.accuracy) json["accuracy"] = json_record(*run.accuracy);
  if (run.standard_errors) {
    json["standard_errors"] = json_record(*run.standard_errors, run.state.start);
  }
  json["execution"] = json_record(run.execution);
  json["execution"]["processes"] = json_table(run.execution.processes);
  return to_text(json);
}

}  // namespace gihflow::cli
