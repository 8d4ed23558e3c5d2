// The functions of the package that begin with a run: check, audit, report, diff.

#include "call.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/record/difference.hpp"
#include "gihflow/run/audit.hpp"
#include "gihflow/run/check.hpp"
#include "gihflow/run/report.hpp"
#include "options.hpp"
#include "runs.hpp"

namespace gihflow::python {

namespace {

// A run in memory, or the path of a file.
using GivenRun = std::variant<const RunHandle*, std::string>;

// With its chains where a call, or the one that trained it, has them in memory.
ReportedRun found(const GivenRun& given, const Inputs& inputs) {
  if (const auto* const path = std::get_if<std::string>(&given))
    return {*path, read_run(*path), inputs};
  const RunHandle& handle = *std::get<const RunHandle*>(given);
  ReportedRun result{"the run", handle.run(), handle.inputs()};
  if (inputs.data) result.held.data = inputs.data;
  if (inputs.validation_data) result.held.validation_data = inputs.validation_data;
  if (inputs.kernels) result.held.kernels = inputs.kernels;
  return result;
}

nb::dict distance_of(const Distance& d) {
  nb::dict result;
  result["total_variation"] = d.total_variation;
  result["total_variation_standard_error"] = d.total_variation_error;
  result["kl"] = d.kl;
  result["kl_standard_error"] = d.kl_error;
  result["argmax_agreement"] = d.argmax_agreement;
  return result;
}

nb::object as_python(const CheckResult& check) {
  nb::dict result;
  result["information_set"] = tuple_of(check.information_set);
  result["leading_set"] = tuple_of(check.leading_set);
  result["tolerance"] = check.tolerance;
  result["chains"] = check.chains;
  result["points"] = tuple_of(check.points, [&](const CheckPoint& point) {
    nb::dict row;
    row["length"] = point.length;
    row["alpha"] = check.from_prior ? nb::cast(point.alpha) : nb::object(nb::none());
    row["to_information_set"] = distance_of(point.limit);
    row["to_leading_set"] = distance_of(point.leading);
    row["passed"] = point.passed;
    row["missing"] = tuple_of(names_of(point.missing));
    return row;
  });
  result["passed"] = check.passed();
  return result;
}

nb::object check(const GivenRun& run, const nb::dict& values, const std::string& config,
                 const nb::dict& inputs, const nb::object& listener) {
  const Assembled asked = assembled({"check", values, config, inputs, listener});
  asked.faults.throw_if_any();
  return follow(listener, [&](RunObserver& observer) -> Finish {
    const ReportedRun checked = found(run, asked.inputs);
    const auto result = std::make_shared<const CheckResult>(gihflow::check(
        checked.run, checked.name, asked.setting.as<CheckSetting>(), &observer, checked.held));
    return [result] { return as_python(*result); };
  });
}

nb::dict numbers_of(const std::string& name, const NumberDifference& numbers) {
  nb::dict row;
  row["name"] = name;
  row["entries"] = numbers.entries;
  row["different"] = numbers.different;
  row["absolute"] = numbers.absolute;
  row["relative"] = numbers.relative;
  row["ulp"] = numbers.ulp;
  return row;
}

nb::dict quantity_of(const AuditedQuantity& quantity) {
  nb::dict row = numbers_of(quantity.name, quantity.numbers);
  row["first_output"] = quantity.first ? nb::cast(quantity.first->index) : nb::object(nb::none());
  return row;
}

nb::object as_python(const AuditReport& report) {
  nb::dict result;
  result["stretches"] = report.stretches;
  result["audits"] = tuple_of(report.audits, [](const Audit& audit) {
    const Stretch& stretch = audit.stretch;
    nb::dict row;
    row["number"] = stretch.number;
    row["stage"] = stretch.stage;
    row["begin"] = stretch.begin;
    row["end"] = stretch.end;
    row["steps"] = stretch.steps;
    row["rhs_evaluations"] = stretch.rhs_evaluations;
    row["outputs"] = audit.outputs;
    row["quantities"] = tuple_of(audit.quantities, quantity_of);
    row["failure"] = audit.failure;
    row["passed"] = audit.passed();
    return row;
  });
  result["passed"] = report.passed();
  return result;
}

nb::object audit(const GivenRun& run, const nb::dict& values, const std::string& config,
                 const nb::dict& inputs, const nb::object& listener) {
  const Assembled asked = assembled({"audit", values, config, inputs, listener});
  asked.faults.throw_if_any();
  return follow(listener, [&](RunObserver& observer) -> Finish {
    ReportedRun audited = found(run, asked.inputs);
    auto recorded = std::make_shared<Resumption>();
    recorded->path = audited.name;
    recorded->run = std::move(audited.run);
    const auto result = std::make_shared<const AuditReport>(
        gihflow::audit(recorded, asked.setting.as<AuditSetting>(), &observer, audited.held));
    return [result] { return as_python(*result); };
  });
}

nb::object report(const std::vector<std::pair<std::string, GivenRun>>& runs, const nb::dict& values,
                  const std::string& config, const nb::dict& inputs, const nb::object& listener) {
  const Assembled asked = assembled({"report", values, config, inputs, listener});
  asked.faults.throw_if_any();
  return follow(listener, [&](RunObserver& observer) -> Finish {
    const auto setting = asked.setting.as<ReportSetting>();
    std::unique_ptr<OutputFile> file;
    if (!setting.output.empty()) {
      file = std::make_unique<OutputFile>(setting.output, setting.force);
      if (!file->note().empty()) observer.note(file->note());
    }
    std::vector<ReportSource> sources;
    for (const auto& [name, run] : runs) {
      if (const auto* path = std::get_if<std::string>(&run)) {
        sources.push_back({name, *path, asked.inputs});
      } else {
        ReportedRun held = found(run, asked.inputs);
        sources.push_back({name, std::move(held.run), std::move(held.held)});
      }
    }
    const auto page = std::make_shared<const std::string>(
        reported_page(read_reported(std::move(sources)), setting, &observer));
    if (interrupt_requested()) return [] { return nb::object(nb::none()); };
    if (file) file->replace(std::as_bytes(std::span(*page)));
    return [page] { return nb::cast(*page); };
  });
}

nb::object output_of(const std::optional<OutputPosition>& output) {
  if (!output) return nb::none();
  return nb::make_tuple(output->stage, output->index, output->t);
}

nb::object as_python(const FileDifference& difference) {
  const auto in_words = [](const std::vector<WordDifference>& differences) {
    return tuple_of(differences, [](const WordDifference& one) {
      return nb::make_tuple(one.name, one.a, one.b);
    });
  };
  nb::dict result;
  result["equal"] = difference.equal();
  result["datasets"] = tuple_of(difference.datasets, [](const DatasetDifference& dataset) {
    nb::dict row = numbers_of(dataset.name, dataset.numbers);
    row["incomparable"] = dataset.what;
    row["first_output"] = output_of(dataset.first);
    return row;
  });
  result["attributes"] = in_words(difference.attributes);
  result["config"] = in_words(difference.config);
  result["program"] = in_words(difference.program);
  result["first_output"] = output_of(difference.first);
  return result;
}

nb::object diff(const std::string& a, const std::string& b) {
  return follow(nb::none(), [&](RunObserver&) -> Finish {
    const auto found = std::make_shared<const FileDifference>(compare_files(a, b));
    return [found] { return as_python(*found); };
  });
}

}  // namespace

void add_recorded(nb::module_& module) {
  const auto add = [&](const char* name, auto function, const char* of, const char* says) {
    module.def(name, function, nb::arg(of), nb::arg("values"), nb::arg("config"), nb::arg("inputs"),
               nb::arg("listener").none(), says);
  };
  add("check", check, "run", "See gihflow.check.");
  add("audit", audit, "run", "See gihflow.audit.");
  add("report", report, "runs", "The text of the page. See gihflow.report.");
  module.def("diff", diff, nb::arg("a"), nb::arg("b"), "See gihflow.diff.");
}

}  // namespace gihflow::python
