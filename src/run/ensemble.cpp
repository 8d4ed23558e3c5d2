#include "gihflow/run/ensemble.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gihflow/record/schema.hpp"

namespace gihflow {

namespace {

using StageColumns = Recorded::StageColumns;

bool has_column(const RunFile& run, const SnapshotColumn& column) {
  if (!column.is_of(run.state.start)) return false;
  if (column.files == RecordedIn::validated_runs) return !run.validation_hash.empty();
  return column.in_runs() && std::string_view(column.name) != "t";
}

// Stage k of all runs that have it.
std::vector<const StageColumns*> stages_of(const std::vector<Recorded>& runs, std::size_t k) {
  std::vector<const StageColumns*> stages;
  for (const Recorded& run : runs) {
    if (k < run.stages.size()) stages.push_back(&run.stages[k]);
  }
  return stages;
}

// Statistics of one entry of a column over the runs that have it.
void summarize(std::vector<double>& values, std::size_t place, EnsembleColumn& column) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  column.mean[place] = mean;
  column.deviation[place] =
      values.size() > 1 ? std::sqrt(squares / (n - 1.0)) : std::numeric_limits<double>::quiet_NaN();
  const bool ordered =
      std::none_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
  std::sort(values.begin(), ordered ? values.end() : values.begin());
  for (std::size_t q = 0; q < std::size(quantile_levels); ++q) {
    column.quantiles[q * column.mean.size() + place] =
        ordered ? quantile(values, quantile_levels[q]) : std::numeric_limits<double>::quiet_NaN();
  }
}

EnsembleStage over(const std::vector<const StageColumns*>& stages) {
  const StageColumns& longest =
      **std::max_element(stages.begin(), stages.end(),
                         [](const auto* a, const auto* b) { return a->t.size() < b->t.size(); });
  EnsembleStage result{longest.stage, longest.t, {}, {}};
  for (std::size_t i = 0; i < longest.t.size(); ++i) {
    result.replicas.push_back(std::count_if(
        stages.begin(), stages.end(), [i](const auto* stage) { return i < stage->t.size(); }));
  }
  for (std::size_t c = 0; c < longest.columns.size(); ++c) {
    const std::size_t total = longest.columns[c].values.size();
    const std::size_t width = longest.t.empty() ? 0 : total / longest.t.size();
    EnsembleColumn column{*longest.columns[c].column, std::vector<double>(total),
                          std::vector<double>(total),
                          std::vector<double>(std::size(quantile_levels) * total)};
    for (std::size_t place = 0; place < total; ++place) {
      std::vector<double> values;
      for (const StageColumns* stage : stages) {
        if (place / width < stage->t.size()) values.push_back(stage->columns[c].values[place]);
      }
      summarize(values, place, column);
    }
    result.columns.push_back(std::move(column));
  }
  return result;
}

}  // namespace

Recorded recorded(const RunFile& run) {
  Recorded result;
  result.shape = run.state.start;
  for (const StageRecord& stage : run.state.trajectory.stages) {
    StageColumns columns{stage.stage, {}, {}};
    for (const Snapshot& snapshot : stage.snapshots) columns.t.push_back(snapshot.t);
    for (const SnapshotColumn& column : snapshot_columns()) {
      if (!has_column(run, column)) continue;
      Recorded::Column values{&column, {}};
      for (const Snapshot& snapshot : stage.snapshots) {
        const std::vector<double> row = column.get(snapshot);
        values.values.insert(values.values.end(), row.begin(), row.end());
      }
      columns.columns.push_back(std::move(values));
    }
    result.stages.push_back(std::move(columns));
  }
  return result;
}

double quantile(std::span<const double> sorted, double level) {
  const double place = static_cast<double>(sorted.size() - 1) * level;
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(below);
  if (share == 0.0 || sorted[below] == sorted[above]) return sorted[below];  // infinities
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

Ensemble ensemble(const std::vector<Recorded>& runs) {
  Ensemble result;
  result.shape = runs.front().shape;
  for (std::size_t k = 0;; ++k) {
    const std::vector<const StageColumns*> stages = stages_of(runs, k);
    if (stages.empty()) return result;
    result.stages.push_back(over(stages));
  }
}

}  // namespace gihflow
