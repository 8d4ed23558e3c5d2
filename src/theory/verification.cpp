#include "gihflow/theory/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gihflow/base/context.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/flow/descent.hpp"
#include "theory/experiment.hpp"
#include "theory/readings.hpp"

namespace gihflow {

namespace {

struct Experiment {
  const char* name;
  void (*run)(Verifier&);
};

constexpr Experiment experiments[] = {
    {"selection of {1}", [](Verifier& v) { selection_experiment(v, {1}); }},
    {"selection of {1,2}",
     [](Verifier& v) {
       selection_experiment(v, {1, 2});
     }},
    {"selection of {1,3}",
     [](Verifier& v) {
       selection_experiment(v, {1, 3});
     }},
    {"selection of {2,3}",
     [](Verifier& v) {
       selection_experiment(v, {2, 3});
     }},
    {"selection in finite context", finite_selection_experiment},
    {"edge of stability", stability_experiment},
    {"rest of c and a", back_off_experiment},
    {"concentration on {1,2}",
     [](Verifier& v) {
       concentration_experiment(v, {1, 2});
     }},
    {"concentration on {1,3}",
     [](Verifier& v) {
       concentration_experiment(v, {1, 3});
     }},
    {"start of growth", growth_start_experiment},
    {"growth without epsilon, alpha 0.3", [](Verifier& v) { growth_experiment(v, 0.3); }},
    {"growth without epsilon, alpha 0.5", [](Verifier& v) { growth_experiment(v, 0.5); }},
    {"growth without epsilon, alpha 2", [](Verifier& v) { growth_experiment(v, 2.0); }},
    {"growth without epsilon, alpha 5", [](Verifier& v) { growth_experiment(v, 5.0); }},
    {"growth with epsilon", slow_growth_experiment},
    {"plateau in finite context", plateau_experiment},
    {"recall", recall_experiment}};

}  // namespace

void Verifier::compare(Quantity quantity, const Subject& subject, const std::string& setting,
                       double predicted, double measured, double tolerance,
                       const std::string& regime) {
  const double difference =
      predicted == 0.0 ? std::abs(measured) : std::abs(measured / predicted - 1.0);
  result_.rows.push_back({quantity,
                          subject,
                          setting,
                          predicted,
                          measured,
                          difference,
                          tolerance,
                          difference <= tolerance,
                          {},
                          {},
                          regime});
}

void Verifier::compare_sets(Quantity quantity, const std::string& setting,
                            const std::string& predicted, const std::string& measured,
                            const std::string& regime) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const bool same = predicted == measured;
  result_.rows.push_back(
      {quantity, {}, setting, nan, nan, same ? 0.0 : 1.0, 0.0, same, predicted, measured, regime});
}

std::shared_ptr<const Objective> Verifier::flown(
    const std::shared_ptr<const Objective>& objective) const {
  return options_.flow_objective ? options_.flow_objective(objective) : objective;
}

std::vector<Snapshot> Verifier::fly(const std::shared_ptr<const Objective>& objective,
                                    const Parameters& start, const Stage& stage, Index outputs,
                                    double first_output) {
  FlowOptions flow;
  flow.rtol = 1e-8;
  flow.atol = 1e-12;
  flow.outputs = outputs;
  flow.first_output = first_output;
  TrainingState state = begin_training(start);
  const Outcome outcome = train_flow(state, {stage}, *flown(objective), nullptr, flow, nullptr);
  const StageRecord& record = state.trajectory.stages.back();
  if (outcome != Outcome::reached) ended_badly_ = to_string(outcome);
  worst_drift_ = std::max(worst_drift_, record.gauge_drift);
  for (const Snapshot& s : record.snapshots)
    if (const double dropped = record.snapshots.front().loss - s.loss; dropped > 1e-6)
      worst_residual_ = std::max(worst_residual_, std::abs(s.energy_residual) / dropped);
  return record.snapshots;
}

Parameters Verifier::descend(const std::shared_ptr<const Objective>& objective,
                             const Parameters& start, const Stage& stage, double rate) {
  DescentOptions descent;
  descent.learning_rate = rate;
  descent.outputs = 2;
  TrainingState state = begin_training(start);
  const Outcome outcome =
      train_descent(state, {stage}, *flown(objective), nullptr, descent, nullptr);
  if (outcome != Outcome::reached) ended_badly_ = to_string(outcome);
  return state.trajectory.stages.back().snapshots.back().parameters;
}

Kernels Verifier::kernels(const std::vector<Index>& parents, double alpha, Index count) const {
  return draw_kernels({3, parents, alpha, 0.0}, options_.seed, Purpose::verify, count);
}

std::unique_ptr<SequenceSource> Verifier::sequences(double alpha, Index length, Index count) const {
  SamplingOptions sampling;
  sampling.prior.alpha = alpha;
  sampling.length = length;
  sampling.count = count;
  sampling.seed = options_.seed;
  sampling.purpose = Purpose::verify;
  return sample_prior(sampling);
}

std::unique_ptr<SequenceSource> Verifier::recall_sequences(Index length, Index count) const {
  SamplingOptions sampling;
  sampling.task = Task::recall;
  sampling.prior.vocabulary = 16;
  sampling.length = length;
  sampling.count = count;
  sampling.seed = options_.seed;
  sampling.purpose = Purpose::verify;
  return sample_task(sampling);
}

Verification Verifier::finish() {
  if (result_.rows.empty()) return std::move(result_);
  compare(Quantity::normalizer_drift, {}, {}, 0.0, worst_drift_, 1e-6,
          "conserved by the flow (3.2), worst of all runs");
  compare(Quantity::energy_residual, {}, {}, 0.0, worst_residual_, 1e-4,
          "(3.5), worst of all recorded points where the loss has dropped by 1e-6");
  compare_sets(Quantity::outcome, {}, "reached", ended_badly_.empty() ? "reached" : ended_badly_,
               {});
  return std::move(result_);
}

Model model_with(double epsilon) {
  Model model;
  model.epsilon = epsilon;
  return model;
}

Parameters selected_start(const Model& model, const std::vector<Index>& parents,
                          const InitialPoint& at) {
  std::uint32_t mask = 0;
  for (const Index head : parents) mask |= 1u << (head - 1);
  Parameters start = initial_parameters(model, at);
  select(start, subset_index(mask, model.heads));
  return start;
}

bool Verification::passed() const {
  return !rows.empty() &&
         std::ranges::all_of(rows, [](const VerificationRow& row) { return row.passed; });
}

std::string label(const VerificationRow& row) {
  const std::string name = label(row.quantity, row.subject);
  return row.setting.empty() ? name : name + ", " + row.setting;
}

Verification verify(const VerifyOptions& options) {
  Verifier verifier(options);
  const auto& wanted = options.experiments;
  for (const Experiment& experiment : experiments) {
    if (interrupt_requested()) break;
    if (!wanted.empty() && std::ranges::find(wanted, experiment.name) == wanted.end()) continue;
    if (options.progress) options.progress(experiment.name);
    try {
      const GivingUp on_interrupt;
      experiment.run(verifier);
    } catch (const Interrupted&) {
      break;
    }
  }
  return verifier.finish();
}

}  // namespace gihflow
