#include "gihflow/run/collect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/record/sweep_file.hpp"
#include "gihflow/run/check.hpp"
#include "gihflow/run/ensemble.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/train.hpp"

namespace gihflow {

namespace {

constexpr std::size_t members_at_once = 64;  // whose runs are in memory

// A member, its run and the verdict on it, from which its row is made.
struct MemberRow {
  const Plan* plan = nullptr;
  const Member* member = nullptr;
  MemberStatus status;
  std::optional<RunFile> run;  // ended or not; nullopt if the file cannot be read
  std::optional<CheckResult> check;

  const Snapshot* last() const {
    if (!run) return nullptr;
    const auto& stages = run->state.trajectory.stages;
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
      if (!stage->snapshots.empty()) return &stage->snapshots.back();
    }
    return nullptr;
  }
};

// A column of the table and how its value for a member is computed.
struct RowColumn {
  std::string name, meaning, units, axes;
  std::function<RecordValue(const MemberRow&)> get;
};

// A value of the run; absent without a run.
template <class Get>
std::function<RecordValue(const MemberRow&)> of_run(Get get) {
  return
      [get](const MemberRow& row) { return row.run ? RecordValue(get(*row.run)) : RecordValue(); };
}

// A value of the verdict; absent without one.
template <class Get>
std::function<RecordValue(const MemberRow&)> of_check(Get get) {
  return [get](const MemberRow& row) {
    return row.check && !row.check->points.empty() ? RecordValue(get(*row.check)) : RecordValue();
  };
}

// The largest value of a certificate over the stages of a run.
auto largest(double Certificates::*member) {
  return of_run([member](const RunFile& run) {
    double most = 0.0;
    for (const StageRecord& stage : run.state.trajectory.stages) {
      const double x = certificates(stage).*member;
      if (!(x <= most)) most = x;
    }
    return most;
  });
}

// The largest drift of a recorded quantity over the stages whose flow conserves it; absent where
// none does.
auto largest_drift(std::string_view name) {
  return of_run([name](const RunFile& run) {
    RecordValue most;
    for (const StageRecord& stage : run.state.trajectory.stages) {
      for (const auto& [conserved, drift] : certificates(stage).drifts) {
        if (conserved != name) continue;
        const double* const before = std::get_if<double>(&most);
        if (before == nullptr || !(drift <= *before)) most = drift;
      }
    }
    return most;
  });
}

auto total(Index StepStatistics::*member) {
  return of_run([member](const RunFile& run) {
    Index sum = 0;
    for (const StageRecord& stage : run.state.trajectory.stages) sum += stage.statistics.*member;
    return sum;
  });
}

// The point of a check that is farthest from the limit.
const CheckPoint& farthest(const CheckResult& check) {
  return *std::max_element(check.points.begin(), check.points.end(),
                           [](const CheckPoint& a, const CheckPoint& b) {
                             return a.limit.total_variation < b.limit.total_variation;
                           });
}

RecordValue swept_value(const Option& option, const std::string& text) {
  const std::optional<Value> value = parse_value(option, text);
  if (!value) return text;
  if (const auto* flag = std::get_if<bool>(&*value)) return Index{*flag ? 1 : 0};
  if (const auto* integer = std::get_if<std::int64_t>(&*value)) return Index{*integer};
  if (const auto* real = std::get_if<double>(&*value)) return *real;
  return text;
}

std::string units_of(const Option& option) {
  return option.value == "T" ? "flow time" : option.value == "S" ? "s" : "1";
}

void add_baselines(std::vector<RowColumn>& columns, const std::string& prefix,
                   const std::string& chains,
                   std::function<const Baselines*(const RunBaselines&)> which) {
  for (const RecordField<Baselines>& field : fields<Baselines>()) {
    columns.push_back({prefix + field.name, field.meaning + chains, field.units, "",
                       [get = field.get, which](const MemberRow& row) {
                         if (!row.run || !row.run->baselines) return RecordValue();
                         const Baselines* const lines = which(*row.run->baselines);
                         return lines == nullptr ? RecordValue() : get(*lines);
                       }});
  }
}

std::vector<RowColumn> row_columns(const Plan& plan) {
  std::vector<RowColumn> columns{
      {"member", "name of the member", "1", "",
       [](const MemberRow& row) { return RecordValue(row.member->name); }},
      {"point", "members of the same point differ in their seed alone", "1", "",
       [](const MemberRow& row) { return RecordValue(row.member->point + 1); }},
  };
  for (const Field field : plan.swept) {
    const Option& option = *find_option(field, groups_of<TrainSetting>);
    columns.push_back(
        {option.name(), words(option.help), units_of(option), "", [&option](const MemberRow& row) {
           return swept_value(option, row.member->options.at(option.field));
         }});
  }
  const std::vector<RowColumn> ends{
      {"state", "how far the member is: left, begun, running, done or failed", "1", "",
       [](const MemberRow& row) { return RecordValue(to_string(row.status.state)); }},
      {"why", "why it failed", "1", "",
       [](const MemberRow& row) { return RecordValue(row.status.why); }},
      {"outcome", "how the run ended", "1", "",
       of_run([](const RunFile& run) { return to_string(run.state.outcome); })},
  };
  columns.insert(columns.end(), ends.begin(), ends.end());
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (!column.in_runs()) continue;
    columns.push_back({column.name, std::string(column.meaning) + ", last recorded", column.units,
                       column.axes, [&column](const MemberRow& row) {
                         const Snapshot* const last = row.last();
                         if (last == nullptr || !column.is_of(last->parameters))
                           return RecordValue();
                         std::vector<double> numbers = column.get(*last);
                         return *column.axes == '\0' ? RecordValue(numbers.front())
                                                     : RecordValue(std::move(numbers));
                       }});
  }
  add_baselines(columns, "", " on the training chains",
                [](const RunBaselines& lines) { return &lines.training; });
  add_baselines(columns, "validation_", " on the validation chains", [](const RunBaselines& lines) {
    return lines.validation ? &*lines.validation : nullptr;
  });
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.conserved == nullptr) continue;
    columns.push_back({fmt::format("{}_drift", column.name),
                       fmt::format("largest change of an entry of {} in a stage that conserves it",
                                   column.meaning),
                       column.units, "", largest_drift(column.name)});
  }
  const std::vector<RowColumn> proofs{
      {"loss_standard_error", "standard error of the training loss", "nats", "",
       [](const MemberRow& row) {
         return row.run && row.run->standard_errors ? RecordValue(row.run->standard_errors->loss)
                                                    : RecordValue();
       }},
      {"largest_energy_residual", "largest |loss(0) - loss(t) - dissipated(t)| of a stage", "nats",
       "", largest(&Certificates::energy_residual)},
      {"relative_energy_residual", "largest energy residual of a stage to its loss drop", "1", "",
       largest(&Certificates::relative_residual)},
      {"gauge_drift", "largest error of (3.2) before gauge fixing", "1", "",
       largest(&Certificates::gauge_drift)},
      {"loss_rise", "largest rise of the recorded loss between two outputs", "nats", "",
       largest(&Certificates::loss_rise)},
      {"rhs_evaluations", "gradients that the integrator asked for", "1", "",
       total(&StepStatistics::rhs_evaluations)},
      {"accepted_steps", "accepted steps", "1", "", total(&StepStatistics::accepted_steps)},
      {"rejected_steps", "rejected steps", "1", "", total(&StepStatistics::rejected_steps)},
      {"wall_seconds", "wall time", "s", "",
       of_run([](const RunFile& run) { return run.execution.wall_seconds; })},
      {"passed", "verdict of check: 1 where the final model is the limit, else 0", "1", "",
       of_check([](const CheckResult& check) { return Index{check.passed() ? 1 : 0}; })},
      {"total_variation",
       "mean total variation to the limit, largest over the lengths and priors of check", "1", "",
       of_check([](const CheckResult& check) { return farthest(check).limit.total_variation; })},
      {"total_variation_standard_error", "standard error of total_variation", "1", "",
       of_check(
           [](const CheckResult& check) { return farthest(check).limit.total_variation_error; })},
      {"information_set", "lags of the information set", "1", "",
       of_check([](const CheckResult& check) { return set_of_lags(check.information_set); })},
      {"leading_set", "lags that the final model looks at", "1", "",
       of_check([](const CheckResult& check) { return set_of_lags(check.leading_set); })},
  };
  columns.insert(columns.end(), proofs.begin(), proofs.end());
  return columns;
}

// The verdict of check on a run that has ended; nullopt if check does not apply.
std::optional<CheckResult> verdict_of(const MemberRow& row, const SweepSetting& setting) {
  if (row.status.state != MemberState::done || !row.run) return std::nullopt;
  CheckSetting asked = row.plan->check;
  asked.isolation = setting.isolation;
  try {
    return verdict(*row.run, path_of(*row.member, setting.directory), asked);
  } catch (const InputError&) {  // a run on given sequences, or lengths too short for the model
    return std::nullopt;
  }
}

bool same_shape(const Parameters& a, const Parameters& b) {
  return a.heads == b.heads && a.window == b.window && a.degree == b.degree &&
         a.vocabulary() == b.vocabulary();
}

class Collector {
 public:
  Collector(const Plan& plan, const SweepSetting& setting, SweepObserver& observer)
      : plan_(plan), setting_(setting), observer_(observer), columns_(row_columns(plan)) {
    for (const RowColumn& column : columns_) {
      contents_.columns.push_back({column.name, column.meaning, column.units, column.axes, {}});
    }
    contents_.plan = plan.text;
    result_.members = members_of(plan, std::nullopt);
  }

  SweepResult run() {
    if (const auto fault = output_fault(Field::collect, setting_.table, setting_.force_members)) {
      throw InputError(*fault);
    }
    OutputFile file(setting_.table, setting_.force_members);
    for (std::size_t begin = 0; begin < plan_.members.size(); begin += members_at_once) {
      add(begin, std::min(begin + members_at_once, plan_.members.size()));
      if (interrupt_requested()) {
        result_.interrupted = true;
        return std::move(result_);
      }
      observer_.progress({plan_.members.size(), result_.statuses.size(), 0, 0, {}});
    }
    faults_.throw_if_any();
    close_point();
    leave_out_axes();
    if (setting_.table.ends_with(".csv")) {
      write_csv(file, contents_);
    } else {
      write_sweep(file, contents_);
    }
    return std::move(result_);
  }

 private:
  void add(std::size_t begin, std::size_t end) {
    std::vector<MemberRow> rows(end - begin);
    std::vector<ErrorList> faults(rows.size());
    parallel_blocks(static_cast<Index>(rows.size()), [&](Index i) {
      const auto k = static_cast<std::size_t>(i);
      MemberRow& row = rows[k];
      row.plan = &plan_;
      row.member = &plan_.members[begin + k];
      try {
        row.status = examine(plan_, *row.member, setting_, &row.run);
      } catch (const InputError& error) {
        for (const Fault& fault : error.faults()) faults[k].add(fault);
      }
      row.check = verdict_of(row, setting_);
    });
    for (const ErrorList& of_row : faults) faults_.add(of_row);
    for (const MemberRow& row : rows) add(row);
  }

  void add(const MemberRow& row) {
    result_.statuses.push_back(row.status);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      contents_.columns[c].values.push_back(columns_[c].get(row));
    }
    if (row.run) {
      const Parameters& shape = row.run->state.start;
      if (contents_.shape.heads == 0) {
        contents_.shape = shape;
      }
      one_shape_ = one_shape_ && same_shape(shape, contents_.shape);
    }
    if (plan_.replicas == 1) return;
    if (row.member->point != point_) close_point();
    point_ = row.member->point;
    if (row.run && row.status.state == MemberState::done) {
      replicas_.push_back(recorded(*row.run));
      first_ = row.member;
    }
  }

  void close_point() {
    if (!replicas_.empty()) {
      contents_.ensembles.push_back(ensemble(replicas_));
      contents_.ensembles.back().point = point_ + 1;
      for (const Field field : plan_.swept) {
        if (field == Field::seed) continue;
        const Option& option = *find_option(field, groups_of<TrainSetting>);
        contents_.ensembles.back().options.emplace_back(
            option.name(), swept_value(option, first_->options.at(field)));
      }
    }
    replicas_.clear();
  }

  // Leaves out columns with axes if runs differ in shape or no run has a value.
  void leave_out_axes() {
    std::vector<std::string> left_out;
    std::erase_if(contents_.columns, [&](const TableColumn& column) {
      const bool misfit = !column.axes.empty() && !one_shape_;
      if (misfit) left_out.push_back(column.name);
      const bool empty = std::all_of(column.values.begin(), column.values.end(), [](const auto& x) {
        return std::holds_alternative<std::monostate>(x);
      });
      return misfit || (empty && !column.axes.empty());
    });
    if (left_out.empty()) return;
    contents_.shape = Parameters();
    observer_.note(
        fmt::format("runs have heads, windows or degrees of their own: the table is without {}",
                    fmt::join(left_out, ", ")));
  }

  const Plan& plan_;
  const SweepSetting& setting_;
  SweepObserver& observer_;
  const std::vector<RowColumn> columns_;
  SweepFile contents_;
  SweepResult result_;
  ErrorList faults_;
  bool one_shape_ = true;
  std::vector<Recorded> replicas_;  // of the point at hand
  const Member* first_ = nullptr;   // one of its members
  Index point_ = 0;
};

}  // namespace

std::vector<std::string> table_columns() {
  std::vector<std::string> names;
  for (const RowColumn& column : row_columns(Plan())) names.push_back(column.name);
  return names;
}

SweepResult collect(const Plan& plan, const SweepSetting& setting, SweepObserver* observer) {
  SweepObserver nobody;
  check_plan(plan, setting.isolation);
  return Collector(plan, setting, observer != nullptr ? *observer : nobody).run();
}

}  // namespace gihflow
