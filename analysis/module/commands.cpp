// The functions of the package that end in a table: rank, predict, verify, compare, sample,
// evaluate. Those that begin with a run are in recorded.cpp.

#include "blocks.hpp"
#include "call.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/run/compare.hpp"
#include "gihflow/run/evaluate.hpp"
#include "gihflow/run/predict.hpp"
#include "gihflow/run/rank.hpp"
#include "gihflow/run/sample.hpp"
#include "gihflow/run/verify.hpp"
#include "options.hpp"
#include "records.hpp"

namespace gihflow::python {

namespace {

// An array of one member of each row.
template <class Row, class T>
nb::object member_of(const std::vector<Row>& rows, T Row::*member) {
  std::vector<T> values;
  for (const Row& row : rows) values.push_back(row.*member);
  return array_of(std::move(values));
}

// Sets of lags, and which of them training from the usual start selects.
struct Ranked {
  Ranking ranking;
  std::optional<SelectionAtStart> selection;
};

Ranked ranked(const Problem& problem, RunObserver* observer) {
  Ranked result{rank(problem, observer), std::nullopt};
  result.selection = selection_at_start(problem, result.ranking);
  return result;
}

nb::object as_python(const Problem&, const Ranked& ranked) {
  const auto& [ranking, selection] = ranked;
  const auto indices = [](const std::vector<std::size_t>& values) {
    return array_of(std::vector<std::int64_t>(values.begin(), values.end()));
  };
  std::vector<double> uniformity;
  for (const RankedSet& set : ranking.sets) uniformity.push_back(ranking.uniformity(set));
  const bool several = ranking.sets.size() > 1;
  nb::dict result;
  result["vocabulary"] = ranking.vocabulary;
  result["chains"] = ranking.chains;
  result["sets"] =
      tuple_of(ranking.sets, [](const RankedSet& set) { return tuple_of(set.members); });
  result["modified"] = member_of(ranking.sets, &RankedSet::modified);
  result["modified_standard_error"] = member_of(ranking.sets, &RankedSet::modified_error);
  result["chi_square"] = member_of(ranking.sets, &RankedSet::chi_square);
  result["chi_square_standard_error"] = member_of(ranking.sets, &RankedSet::chi_square_error);
  result["order"] = indices(ranking.by_modified);
  result["place"] = indices(ranking.places(&RankedSet::modified));
  result["place_by_chi_square"] = indices(ranking.places(&RankedSet::chi_square));
  result["uniformity"] = array_of(std::move(uniformity));
  result["information_set"] = tuple_of(ranking.information_set().members);
  result["gap"] = ranking.gap;
  result["gap_standard_error"] = ranking.gap_error;
  result["gap_z"] = ranking.gap_z;
  result["runner_up"] = several ? nb::object(tuple_of(ranking.sets[ranking.by_modified[1]].members))
                                : nb::object(nb::none());
  result["selected"] = selection ? nb::object(tuple_of(ranking.sets[selection->selected].members))
                                 : nb::object(nb::none());
  result["critical_logit"] = selection && !std::isnan(selection->critical_logit)
                                 ? nb::cast(selection->critical_logit)
                                 : nb::object(nb::none());
  return result;
}

nb::dict subject_of(Quantity quantity, const Subject& subject) {
  nb::dict result;
  for (const auto& [name, value] : members_of(quantity, subject)) result[name.c_str()] = value;
  return result;
}

nb::dict prediction_of(const Prediction& p) {
  const bool sets = !p.sharp_set.empty() || !p.trained_set.empty();
  nb::dict row;
  row["name"] = to_string(p.quantity);
  row["phase"] = phase_of(p.quantity);
  row["label"] = label(p.quantity, p.subject);
  row["subject"] = subject_of(p.quantity, p.subject);
  row["units"] = units_of(p.quantity);
  row["sharp"] = sets ? nb::cast(p.sharp_set) : nb::cast(p.sharp);
  row["trained"] = sets ? nb::cast(p.trained_set) : nb::cast(p.trained);
  row["regime"] = p.regime;
  return row;
}

nb::object as_python(const Problem&, const std::vector<Prediction>& predictions) {
  return tuple_of(predictions, prediction_of);
}

nb::dict row_of(const VerificationRow& r) {
  const bool sets = !r.predicted_set.empty();
  nb::dict row;
  row["name"] = to_string(r.quantity);
  row["phase"] = phase_of(r.quantity);
  row["label"] = label(r);
  row["subject"] = subject_of(r.quantity, r.subject);
  row["setting"] = r.setting;
  row["units"] = units_of(r.quantity);
  row["predicted"] = sets ? nb::cast(r.predicted_set) : nb::cast(r.predicted);
  row["measured"] = sets ? nb::cast(r.measured_set) : nb::cast(r.measured);
  row["difference"] = r.difference;
  row["tolerance"] = r.tolerance;
  row["passed"] = r.passed;
  row["regime"] = r.regime;
  return row;
}

nb::object as_python(const Problem&, const Verification& verification) {
  nb::dict result;
  result["rows"] = tuple_of(verification.rows, row_of);
  result["curves"] = tuple_of(verification.curves, [](const Curve& curve) {
    nb::dict drawn;
    drawn["name"] = to_string(curve.quantity);
    drawn["subject"] = subject_of(curve.quantity, curve.subject);
    drawn["setting"] = curve.setting;
    drawn["x_name"] = curve.x_name;
    drawn["y_name"] = curve.y_name;
    drawn["x"] = array_of(curve.x);
    drawn["measured"] = array_of(curve.measured);
    drawn["predicted"] = array_of(curve.predicted);
    return drawn;
  });
  result["departures"] = tuple_of(verification.departures, [](const Departure& departure) {
    nb::dict row = prediction_of(departure.prediction);
    row["measured"] = departure.measured;
    return row;
  });
  result["passed"] = verification.passed();
  return result;
}

// Over all blocks, and of the losses.
nb::dict distances_of(const std::vector<BlockDistance>& distances) {
  nb::dict result;
  result["all"] = member_of(distances, &BlockDistance::all);
  result["loss"] = member_of(distances, &BlockDistance::loss);
  return result;
}

nb::object as_python(const Problem& problem, const ComparisonFile& file) {
  const Parameters shape = problem.start();
  const auto columns = [&](const std::vector<Snapshot>& snapshots) {
    nb::dict result;
    for (const SnapshotColumn& column : snapshot_columns()) {
      if (column.in_comparisons() && column.is_of(shape))
        result[column.name] = column_of(column, snapshots, shape);
    }
    return result;
  };
  const auto order_of = [](const ObservedOrder& order) {
    return order.order ? nb::cast(*order.order) : nb::object(nb::none());
  };
  nb::dict result;
  result["tokens_hash"] = file.tokens_hash;
  result["stages"] = tuple_of(file.comparison.stages, [&](const ComparedStage& stage) {
    nb::dict compared;
    compared["trained"] = stage.stage.blocks.text();
    compared["duration"] = stage.stage.duration;
    compared["t"] = array_of(stage.t);
    compared["flow"] = columns(stage.flow);
    compared["sharpness"] = array_of(stage.sharpness);
    compared["flow_outcome"] = to_string(stage.flow_outcome);
    compared["order_to_flow"] = order_of(stage.to_flow);
    compared["order_to_modified"] = order_of(stage.to_modified);
    compared["rates"] = tuple_of(stage.rates, [&](const ComparedRate& rate) {
      nb::dict row;
      row["learning_rate"] = rate.learning_rate;
      row["descent"] = columns(rate.descent);
      row["to_flow"] = distances_of(rate.to_flow);
      row["to_modified"] = distances_of(rate.to_modified);
      row["growth"] = array_of(rate.growth);
      row["modified_growth"] = array_of(rate.modified_growth);
      row["growth_error"] = rate.growth_error;
      row["leaves_at"] = rate.leaves_at ? nb::cast(*rate.leaves_at) : nb::object(nb::none());
      row["outcome"] = to_string(rate.outcome);
      return row;
    });
    return compared;
  });
  return result;
}

nb::object as_python(const Problem&, const Sample& sample) {
  const Sequences& drawn = sample.sequences;
  nb::dict result;
  const auto n = static_cast<std::size_t>(drawn.count);
  result["tokens"] = array_of(drawn.tokens, {n, static_cast<std::size_t>(drawn.length + 1)});
  result["targets"] =
      drawn.targets.empty()
          ? nb::object(nb::none())
          : array_of(drawn.targets, {n, static_cast<std::size_t>(drawn.vocabulary)});
  result["vocabulary"] = drawn.vocabulary;
  result["parents"] = tuple_of(drawn.parents);
  result["tokens_hash"] = sample.tokens_hash;
  return result;
}

nb::object as_python(const Problem& problem, const Evaluation& evaluation) {
  nb::dict result;
  result["loss"] = evaluation.loss;
  result["loss_standard_error"] = evaluation.errors.loss;
  std::vector<double> gradient(size_of(evaluation.at));
  pack_gradient(evaluation.at, evaluation.gradient, gradient.data());
  result["at"] = array_of(packed(evaluation.at));
  result["gradient"] = array_of(std::move(gradient));
  result["gradient_standard_error"] = array_of(packed(evaluation.errors));
  result["blocks"] = described_blocks(evaluation.at);
  result["engine"] = evaluation.engine;
  static_cast<void>(problem);
  return result;
}

// A function of run/ on what a call says.
template <class Function>
void add(nb::module_& module, const char* name, Function function, const char* documentation) {
  module.def(
      name,
      [name, function](const nb::dict& values, const std::string& config, const nb::dict& inputs,
                       const nb::object& listener) {
        const Assembled asked = assembled({name, values, config, inputs, listener});
        return follow(listener, [&](RunObserver& observer) -> Finish {
          const auto problem = std::make_shared<const Problem>(prepare(asked));
          using Result = decltype(function(*problem, &observer));
          const auto result = std::make_shared<const Result>(function(*problem, &observer));
          return [problem, result] { return as_python(*problem, *result); };
        });
      },
      nb::arg("values"), nb::arg("config"), nb::arg("inputs"), nb::arg("listener").none(),
      documentation);
}

}  // namespace

void add_commands(nb::module_& module) {
  add(
      module, "rank", [](const Problem& p, RunObserver* o) { return ranked(p, o); },
      "See gihflow.rank.");
  add(
      module, "predict", [](const Problem& p, RunObserver* o) { return predict(p, o); },
      "See gihflow.predict.");
  add(
      module, "verify", [](const Problem& p, RunObserver* o) { return verify(p, o); },
      "See gihflow.verify.");
  add(
      module, "compare", [](const Problem& p, RunObserver* o) { return compare(p, o); },
      "See gihflow.compare.");
  add(
      module, "sample", [](const Problem& p, RunObserver* o) { return sample(p, o); },
      "See gihflow.sample.");
  add(
      module, "evaluate", [](const Problem& p, RunObserver* o) { return evaluate(p, o); },
      "See gihflow.evaluate.");
}

}  // namespace gihflow::python
