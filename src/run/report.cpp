#include "gihflow/run/report.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "base/embedded.hpp"
#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/run/check.hpp"
#include "gihflow/run/predict.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/train.hpp"
#include "gihflow/theory/measurement.hpp"
#include "run/report_parts.hpp"

namespace gihflow {

namespace {

constexpr std::size_t most_outputs = 1200;  // per run
constexpr std::size_t most_outputs_of_stage = 400;
constexpr Index most_predicted_chains = 100'000;
// Limit on pairs of windows times kernels of predictions; the paper's setting has 7·10⁵.
constexpr double most_window_pairs = 1e7;

// `count` evenly spaced numbers from 0 to n − 1; all of them if count ≥ n.
std::vector<std::size_t> evenly(std::size_t n, std::size_t count) {
  const std::size_t shown = std::min(n, count);
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < shown; ++i) {
    result.push_back(shown == n ? i : i * (n - 1) / (shown - 1));
  }
  return result;
}

ShownOutputs shown_outputs(const std::vector<StageRecord>& stages) {
  const std::size_t share = std::max<std::size_t>(2, most_outputs / stages.size());
  ShownOutputs shown;
  for (const StageRecord& stage : stages) {
    shown.push_back(evenly(stage.snapshots.size(), std::min(share, most_outputs_of_stage)));
  }
  return shown;
}

// A column at the shown outputs; empty if it was not recorded.
std::vector<double> values_of(const SnapshotColumn& column, const StageRecord& stage,
                              const std::vector<std::size_t>& shown) {
  std::vector<double> values;
  for (const std::size_t i : shown) {
    const std::vector<double> row = column.get(stage.snapshots[i]);
    values.insert(values.end(), row.begin(), row.end());
  }
  const bool recorded =
      std::any_of(values.begin(), values.end(), [](double x) { return !std::isnan(x); });
  return recorded ? values : std::vector<double>();
}

Json stage_json(const StageRecord& stage, const std::vector<std::size_t>& shown) {
  const Certificates proof = certificates(stage);
  Json json = json_record(stage);
  json["statistics"] = json_record(stage.statistics);
  json["switches"] = json_table(stage.switches);
  json["outputs"] = stage.snapshots.size();
  json["shown"] = shown.size();
  json["certificates"] = {{"loss_drop", proof.loss_drop},
                          {"energy_residual", proof.energy_residual},
                          {"relative_residual", proof.relative_residual},
                          {"gauge_drift", proof.gauge_drift},
                          {"loss_rise", proof.loss_rise}};
  for (const auto& [name, drift] : proof.drifts) json["certificates"][name + "_drift"] = drift;
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (!column.in_runs() || stage.snapshots.empty() ||
        !column.is_of(stage.snapshots.front().parameters))
      continue;
    const std::vector<double> values = values_of(column, stage, shown);
    if (!values.empty()) json["columns"][column.name] = base64_reals(values);
  }
  return json;
}

Json columns_json() {
  Json list = Json::array();
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (!column.in_runs()) continue;
    list.push_back({{"name", column.name},
                    {"meaning", column.meaning},
                    {"units", column.units},
                    {"axes", column.axes}});
  }
  return list;
}

Json check_json(const ReportedRun& reported, const ReportSetting& asked, const Inputs& held) {
  CheckSetting setting;
  if (!setting_of_run(reported.run, reported.name).kernels.empty()) setting.kernels = asked.kernels;
  setting.isolation = asked.isolation;
  try {
    const CheckResult result = check(reported.run, reported.name, setting, nullptr, held);
    const auto point_json = [&](const CheckPoint& point) {
      return Json{{"length", point.length},
                  {"alpha", result.from_prior ? Json(point.alpha) : Json()},
                  {"chains", result.chains},
                  {"total_variation", point.limit.total_variation},
                  {"total_variation_standard_error", point.limit.total_variation_error},
                  {"kl", point.limit.kl},
                  {"argmax_agreement", point.limit.argmax_agreement},
                  {"to_leading_set", point.leading.total_variation},
                  {"passed", point.passed},
                  {"missing", names_of(point.missing)}};
    };
    return {{"information_set", result.information_set},
            {"leading_set", result.leading_set},
            {"tolerance", result.tolerance},
            {"points", json_list(result.points, point_json)},
            {"passed", result.passed()}};
  } catch (const InputError& error) {
    return {{"reason", error.what()}};
  }
}

// Predictions of theory for the run beside its measurements.
Json predictions_json(const RunFile& run, Setting setting, const Inputs& held) {
  if (!setting.data.empty()) {
    return {{"reason", "predictions need chains that are drawn from a prior or from kernels"}};
  }
  const double windows = std::pow(static_cast<double>(run.vocabulary),
                                  static_cast<double>(setting.model.used_lags().size()));
  if (1000.0 * windows * windows > most_window_pairs) {
    return {{"reason",
             fmt::format("with {:.6g} windows they take long; gihflow predict --{} FILE, with "
                         "the file of the run, makes them",
                         windows, name(Field::config))}};
  }
  Json json{{"rows", Json::array()}};
  if (setting.sampling.count > most_predicted_chains && setting.kernels.empty()) {
    setting.sampling.count = most_predicted_chains;
    json["note"] =
        fmt::format("predictions are those of the run's first {} chains", most_predicted_chains);
  }
  setting.parameters.clear();
  try {
    Problem problem = prepare(Assembled{.setting = Setting(setting.as<PredictSetting>()),
                                        .groups = groups_of<PredictSetting>,
                                        .inputs = held});
    problem.parameters = run.state.initial;
    const auto member = [](double number, const std::string& set) {
      return set.empty() ? Json(number) : Json(set);
    };
    for (const Prediction& p : predict(problem)) {
      json["rows"].push_back({{"phase", phase_of(p.quantity)},
                              {"quantity", label(p.quantity, p.subject)},
                              {"units", units_of(p.quantity)},
                              {"sharp", member(p.sharp, p.sharp_set)},
                              {"trained", member(p.trained, p.trained_set)},
                              {"measured", measure(p.quantity, p.subject, run.state.trajectory)},
                              {"regime", p.regime}});
    }
  } catch (const InputError& error) {
    return {{"reason", error.what()}};
  }
  return json;
}

Json run_json(const ReportedRun& reported, const ReportSetting& asked, RunObserver& observer) {
  const RunFile& run = reported.run;
  const std::vector<StageRecord>& stages = run.state.trajectory.stages;
  if (stages.empty() || stages.back().snapshots.empty()) {
    throw InputError(fault(reported.name, "", "holds no recorded point"));
  }
  Setting setting = setting_of_run(run, reported.name);
  if (!setting.kernels.empty() && !asked.kernels.empty()) setting.kernels = asked.kernels;
  if (!setting.data.empty() && !asked.data.empty()) setting.data = asked.data;
  setting.isolation = asked.isolation;
  const Inputs held = in_place_of_files(setting, reported.held);

  const Parameters& last = final_parameters(run.state);
  const ShownOutputs shown = shown_outputs(stages);
  Json json{{"name", reported.name},
            {"outcome", to_string(run.state.outcome)},
            {"schema_version", run.schema_version},
            {"provenance", json_record(run.provenance)},
            {"tokens_hash", run.tokens_hash},
            {"vocabulary", run.vocabulary},
            {"subsets", json_list(subsets(last.heads, last.degree), elements_of)},
            {"execution", json_record(run.execution)},
            {"columns", columns_json()}};
  Json lags = Json::array();
  for (Index h = 0; h < last.heads; ++h) {
    const auto row = run.lags.begin() + h * last.window;
    lags.push_back(std::vector<Index>(row, row + last.window));
  }
  json["lags"] = std::move(lags);
  json["stages"] = Json::array();
  for (std::size_t k = 0; k < stages.size(); ++k) {
    if (!shown[k].empty()) json["stages"].push_back(stage_json(stages[k], shown[k]));
  }
  if (run.baselines) {
    json["baselines"] = {{"lags", run.baselines->lags},
                         {"training", json_record(run.baselines->training)}};
    if (run.baselines->validation) {
      json["baselines"]["validation"] = json_record(*run.baselines->validation);
    }
  }
  observer.phase("sequences of " + reported.name);
  json["sequences"] = report_sequences(run, setting, held, shown);
  observer.phase("predictions for " + reported.name);
  json["predictions"] = predictions_json(run, setting, held);
  observer.phase("check of " + reported.name);
  json["check"] = check_json(reported, asked, held);
  return json;
}

std::string part(std::string_view name) {
  for (const EmbeddedFile& file : page_files()) {
    if (file.path.substr(file.path.rfind('/') + 1) == name) return std::string(file.text);
  }
  throw std::logic_error("a part of the page is missing");
}

// Escapes "<", so that data cannot end the script element that contains them.
std::string in_script(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return result;
}

}  // namespace

std::string page_of(const Json& data, std::initializer_list<const char*> scripts) {
  // Paths may contain bytes that are not UTF-8; they are replaced.
  const std::string text = in_script(data.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::string script;
  for (const char* const name : scripts) script += part(name);
  std::string page = part("report.html");
  const auto fill = [&](std::string_view mark, const std::string& content) {
    page.replace(page.find(mark), mark.size(), content);
  };
  fill("/*SCRIPT*/", script);
  fill("/*DATA*/", text);
  fill("/*STYLE*/", part("report.css"));
  return page;
}

std::string report_page(std::span<const ReportedRun> runs, const ReportSetting& setting,
                        RunObserver* observer) {
  const ContextScope scope({.threads = setting.threads});
  RunObserver nobody;
  Json data{{"runs", Json::array()}};
  for (const ReportedRun& run : runs) {
    if (interrupt_requested()) return "";
    data["runs"].push_back(run_json(run, setting, observer != nullptr ? *observer : nobody));
  }
  if (interrupt_requested()) return "";
  return page_of(data, {"base.js", "run.js", "curves.js", "panels.js", "page.js"});
}

Reported read_reported(std::vector<ReportSource> sources, Isolation isolation) {
  Reported reported;
  if (sources.size() == 1) {
    if (const auto* path = std::get_if<std::string>(&sources.front().run))
      reported.table = read_sweep_table(*path, isolation);
    reported.table_name = sources.front().name;
  }
  if (reported.table) return reported;
  ErrorList faults;
  for (ReportSource& source : sources) {
    try {
      const auto* path = std::get_if<std::string>(&source.run);
      reported.runs.push_back(
          {source.name,
           path ? read_run(*path, isolation) : std::move(std::get<RunFile>(source.run)),
           std::move(source.held)});
    } catch (const InputError& error) {
      for (const Fault& fault : error.faults()) faults.add(fault);
    }
  }
  faults.throw_if_any();
  return reported;
}

std::string reported_page(const Reported& reported, const ReportSetting& setting,
                          RunObserver* observer) {
  return reported.table ? table_page(reported.table_name, *reported.table)
                        : report_page(reported.runs, setting, observer);
}

}  // namespace gihflow
