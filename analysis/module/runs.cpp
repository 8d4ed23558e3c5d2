#include "runs.hpp"

#include <algorithm>

#include "call.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/run/ensemble.hpp"
#include "gihflow/run/resume.hpp"
#include "options.hpp"
#include "records.hpp"

namespace gihflow::python {

namespace {

// The names of a file: what docs/schema.md says of a run, as nested dictionaries.

nb::dict root_of(const RunFile& run) {
  nb::dict root;
  root["schema_version"] = run.schema_version;
  root["program"] = "gihflow";
  put_fields(root, run.provenance);
  root["outcome"] = to_string(run.state.outcome);
  root["tokens_hash"] = run.tokens_hash;
  if (!run.validation_hash.empty()) root["validation_tokens_hash"] = run.validation_hash;
  root["vocabulary_size"] = run.vocabulary;
  root["degree"] = run.state.start.degree;
  return root;
}

nb::dict stage_of(const StageRecord& stage, const Parameters& shape, bool has_validation) {
  nb::dict attributes, columns, descriptions, result;
  put_fields(attributes, stage);
  put_fields(attributes, stage.statistics);
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.in_runs() && column.is_of(shape) &&
        (has_validation || column.files != RecordedIn::validated_runs)) {
      columns[column.name] = column_of(column, stage.snapshots, shape);
      descriptions[column.name] = nb::make_tuple(column.units, column.meaning);
    }
  }
  result["attributes"] = attributes;
  result["columns"] = columns;
  result["descriptions"] = descriptions;
  result["switches"] =
      tuple_of(stage.switches, [](const IntegratorSwitch& change) { return fields_of(change); });
  return result;
}

nb::dict parameters_of(const Parameters& parameters) {
  nb::dict result;
  const std::size_t subsets = parameters.log_c_squared.size();
  result["c"] = array_of(parameters.c(), {subsets});
  result["log_c_squared"] = array_of(parameters.log_c_squared, {subsets});
  result["c_sign"] = array_of(parameters.c_sign, {subsets});
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(parameters);
    if (*array.axes == '\0')
      result[array.name] = numbers.front();
    else if (!numbers.empty())
      result[array.name] = array_of(std::vector<double>(numbers.begin(), numbers.end()),
                                    lengths_of(array.axes, parameters));
  }
  return result;
}

template <class T, class Make>
nb::object optional(const std::optional<T>& value, Make make) {
  if (!value) return nb::none();
  return make(*value);
}

nb::dict contents(const RunHandle& handle) {
  const Run& run = handle.run();
  const Parameters& shape = run.state.start;
  nb::dict result;
  result["attributes"] = root_of(run);
  nb::dict execution = fields_of(run.execution);
  execution["processes"] = tuple_of(
      run.execution.processes, [](const ProcessRecord& process) { return fields_of(process); });
  result["execution"] = execution;
  result["subsets"] = tuple_of(subsets(shape.heads, shape.degree),
                               [](std::uint32_t mask) { return tuple_of(elements_of(mask)); });
  result["lag"] = array_of(run.lags, lengths_of("HM", shape));
  result["stages"] = tuple_of(run.state.trajectory.stages, [&](const StageRecord& stage) {
    return stage_of(stage, shape, !run.validation_hash.empty());
  });
  result["final"] = parameters_of(run.final());
  result["gih_lags"] =
      optional(run.baselines, [](const RunBaselines& lines) { return tuple_of(lines.lags); });
  result["training_baselines"] =
      optional(run.baselines, [](const RunBaselines& lines) { return fields_of(lines.training); });
  result["validation_baselines"] = optional(run.baselines, [](const RunBaselines& lines) {
    return optional(lines.validation, [](const Baselines& own) { return fields_of(own); });
  });
  result["standard_errors"] = optional(
      run.standard_errors, [&](const StandardErrors& errors) { return fields_of(errors, shape); });
  return result;
}

void save(const RunHandle& handle, const std::string& path, bool force) {
  const nb::gil_scoped_release others_may_run;
  OutputFile file(path, force);
  write_run(file, handle.run());
}

// Trains; with `resumed` the run that it holds goes on.
nb::object train(const std::string& command, const nb::dict& values, const std::string& config,
                 const nb::dict& inputs, const nb::object& listener, const RunHandle* resumed) {
  Assembled asked = assembled({command, values, config, inputs, listener});
  if (resumed != nullptr) {
    auto held = std::make_shared<Resumption>();
    held->path = "the run";
    held->run = resumed->run();
    asked.setting.resume = held->path;
    asked.resumed = std::move(held);
    asked.inputs = resumed->inputs();
  }
  return follow(listener, [&](RunObserver& observer) -> Finish {
    const Problem problem = prepare(asked);
    auto run = std::make_shared<Run>(gihflow::train(problem, &observer));
    return [run, inputs = asked.inputs] { return nb::cast(RunHandle(std::move(*run), inputs)); };
  });
}

// Columns over runs that differ in their seed alone, by the names of the file of many runs.
nb::tuple ensemble(const std::vector<const RunHandle*>& runs) {
  if (runs.empty()) return nb::tuple();
  std::vector<Recorded> all;
  for (const RunHandle* const run : runs) all.push_back(recorded(run->run()));
  const Ensemble found = gihflow::ensemble(all);
  return tuple_of(found.stages, [&](const EnsembleStage& stage) {
    nb::dict mean, deviation, quantiles, result;
    for (const EnsembleColumn& column : stage.columns) {
      Shape lengths = lengths_of(column.quantity.axes, found.shape);
      lengths.insert(lengths.begin(), stage.t.size());
      mean[column.quantity.name] = array_of(column.mean, lengths);
      deviation[column.quantity.name] = array_of(column.deviation, lengths);
      lengths.insert(lengths.begin(), std::size(quantile_levels));
      quantiles[column.quantity.name] = array_of(column.quantiles, lengths);
    }
    result["trained"] = stage.stage.blocks.text();
    result["duration"] = stage.stage.duration;
    result["t"] = array_of(stage.t);
    result["replicas"] =
        array_of(std::vector<std::int64_t>(stage.replicas.begin(), stage.replicas.end()));
    result["mean"] = mean;
    result["deviation"] = deviation;
    result["quantiles"] = quantiles;
    return result;
  });
}

}  // namespace

nb::object column_of(const SnapshotColumn& column, const std::vector<Snapshot>& snapshots,
                     const Parameters& shape) {
  std::vector<double> values;
  for (const Snapshot& snapshot : snapshots) {
    const std::vector<double> row = column.get(snapshot);
    values.insert(values.end(), row.begin(), row.end());
  }
  Shape lengths = lengths_of(column.axes, shape);
  lengths.insert(lengths.begin(), snapshots.size());
  return array_of(std::move(values), lengths);
}

void add_runs(nb::module_& module) {
  nb::class_<RunHandle>(module, "Run", "A training run in memory.")
      .def("contents", contents, "What its file holds, by the names of docs/schema.md.")
      .def("save", save, nb::arg("path"), nb::arg("force") = false,
           "Writes the run file. OSError where that fails.");
  module.def("train", train, nb::arg("command"), nb::arg("values"), nb::arg("config"),
             nb::arg("inputs"), nb::arg("listener").none(), nb::arg("resumed").none() = nb::none(),
             "Trains; see gihflow.train.");
  module.def("ensemble", ensemble, nb::arg("runs"), "Every recorded column over runs, by stages.");
  module.attr("quantile_levels") =
      tuple_of(std::vector<double>(std::begin(quantile_levels), std::end(quantile_levels)));
  module.attr("__version__") = version();
  module.attr("git_commit") = git_commit();
}

}  // namespace gihflow::python
