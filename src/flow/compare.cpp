#include "gihflow/flow/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/flow/hessian.hpp"

namespace gihflow {

ErrorList compare_errors(const Schedule& schedule, const CompareOptions& options) {
  ErrorList errors;
  const std::vector<double>& rates = options.learning_rates;
  if (rates.empty()) errors.add(fault(Field::learning_rates, "", "must name at least one"));
  for (std::size_t i = 0; i < rates.size(); ++i) {
    if (!std::isfinite(rates[i]) || rates[i] <= 0.0) {
      errors.add(fault(Field::learning_rates, rates[i], "must be positive finite numbers"));
      continue;
    }
    if (std::find(rates.begin(), rates.begin() + static_cast<Index>(i), rates[i]) !=
        rates.begin() + static_cast<Index>(i))
      errors.add(fault(Field::learning_rates, rates[i], "is named twice; each must be there once"));
    for (const Stage& stage : schedule) {
      const double steps = stage.duration / rates[i];
      if (!(std::abs(steps - std::round(steps)) <= 1e-9 * steps) || steps < 0.5 || steps > 0x1p53)
        errors.add(
            fault(Field::learning_rates, rates[i],
                  "stage '{}' takes {} steps of it; must be a whole number, so that both end "
                  "at the same time",
                  to_string(Schedule{stage}), steps));
    }
  }
  return errors;
}

namespace {

/// The compared times of a stage: output_times rounded to steps of `rate`.
std::vector<double> compared_times(const Stage& stage, const FlowOptions& flow, double rate) {
  std::vector<double> times{0.0};
  for (double t : output_times(stage.duration, flow.outputs, flow.first_output)) {
    t = std::min(rate * std::round(t / rate), stage.duration);
    if (t > times.back()) times.push_back(t);
  }
  times.back() = stage.duration;
  return times;
}

double squared_distance(std::span<const double> x, std::span<const double> y) {
  double squares = 0.0;
  // Logits of lags that a head does not have are equal infinities.
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] != y[i]) squares += (x[i] - y[i]) * (x[i] - y[i]);
  return squares;
}

BlockDistance distance(const Parameters& x, double loss_x, const Parameters& y, double loss_y) {
  std::vector<double> squares{squared_distance(x.c(), y.c())};
  char block = 'c';
  for (const PlainArray& array : plain_arrays) {
    if (array.in(x).empty()) continue;
    if (array.letter != block) squares.push_back(0.0);
    block = array.letter;
    squares.back() += squared_distance(array.in(x), array.in(y));
  }
  BlockDistance out;
  for (const double square : squares) {
    out.blocks.push_back(std::sqrt(square));
    out.all += square;
  }
  out.all = std::sqrt(out.all);
  out.loss = std::abs(loss_x - loss_y);
  return out;
}

double size_of(const Parameters& x) {
  Parameters zero = x;
  std::fill(zero.log_c_squared.begin(), zero.log_c_squared.end(),
            -std::numeric_limits<double>::infinity());
  for (const PlainArray& array : plain_arrays)
    for (double& value : array.of(zero))
      if (std::isfinite(value)) value = 0.0;
  return distance(x, 0.0, zero, 0.0).all;
}

/// Stages of flow or descent through the schedule from `start`, up to one that ended early.
template <class Train>
std::vector<StageRecord> stages_of(const Parameters& start, Train train) {
  TrainingState state = begin_training(start);
  train(state);
  return std::move(state.trajectory.stages);
}

/// Slope of log distance against log η over all times and rates, with a free intercept for each
/// time. Distances up to `floor` are integration errors and are left out.
ObservedOrder observed_order(const ComparedStage& stage,
                             std::vector<BlockDistance> ComparedRate::*to, double floor) {
  std::vector<const ComparedRate*> rates;
  for (double rate : stage.fitted_rates)
    for (const ComparedRate& r : stage.rates)
      if (r.learning_rate == rate) rates.push_back(&r);
  ObservedOrder out;
  std::vector<double> pair_sum(rates.empty() ? 0 : rates.size() - 1, 0.0);
  Index times = 0;
  double xy = 0.0, xx = 0.0;
  for (Index i = stage.fit_begin; i < stage.fit_end; ++i) {
    std::vector<double> x, y;
    for (const ComparedRate* r : rates) {
      const std::vector<BlockDistance>& d = r->*to;
      if (i < static_cast<Index>(d.size()) && d[static_cast<std::size_t>(i)].all > floor) {
        x.push_back(std::log(r->learning_rate));
        y.push_back(std::log(d[static_cast<std::size_t>(i)].all));
      }
    }
    if (x.size() < 2 || x.size() < rates.size()) continue;
    ++times;
    out.points += static_cast<Index>(x.size());
    double mean_x = 0.0, mean_y = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      mean_x += x[k] / static_cast<double>(x.size());
      mean_y += y[k] / static_cast<double>(x.size());
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      xy += (x[k] - mean_x) * (y[k] - mean_y);
      xx += (x[k] - mean_x) * (x[k] - mean_x);
      if (k > 0) pair_sum[k - 1] += (y[k] - y[k - 1]) / (x[k] - x[k - 1]);
    }
  }
  if (times == 0) return out;
  out.order = xy / xx;
  for (double sum : pair_sum) out.pairs.push_back(sum / static_cast<double>(times));
  return out;
}

/// `before` is the previous stage, null for the first one. A rate that was unstable there does not
/// start this stage on the flow, so it is not fitted here.
void fit_orders(ComparedStage& stage, const ComparedStage* before, double floor) {
  const Index times = static_cast<Index>(stage.flow.size());
  if (times < 2) return;
  const double last = stage.flow.back().loss, drop = stage.flow.front().loss - last;
  stage.fit_end = 0;
  while (stage.fit_end < times &&
         stage.flow[static_cast<std::size_t>(stage.fit_end)].loss - last >= 0.1 * drop)
    ++stage.fit_end;
  double steepest = 0.0;
  for (Index i = 0; i < stage.fit_end; ++i)
    steepest = std::max(steepest, stage.sharpness[static_cast<std::size_t>(i)]);
  for (const ComparedRate& rate : stage.rates)
    if (rate.learning_rate * steepest < 2.0 &&
        (!before || std::find(before->stable_rates.begin(), before->stable_rates.end(),
                              rate.learning_rate) != before->stable_rates.end()))
      stage.stable_rates.push_back(rate.learning_rate);
  std::sort(stage.stable_rates.rbegin(), stage.stable_rates.rend());
  stage.fitted_rates = stage.stable_rates;
  // A rate that makes fewer than five steps by fit_end is left out.
  for (;; stage.fitted_rates.erase(stage.fitted_rates.begin())) {
    if (stage.fitted_rates.size() < 2) {
      stage.fitted_rates.clear();
      return;
    }
    stage.fit_begin = 0;
    while (stage.fit_begin < stage.fit_end &&
           stage.t[static_cast<std::size_t>(stage.fit_begin)] < 4.999 * stage.fitted_rates.front())
      ++stage.fit_begin;
    if (stage.fit_begin < stage.fit_end) break;
  }
  stage.to_flow = observed_order(stage, &ComparedRate::to_flow, floor);
  stage.to_modified = observed_order(stage, &ComparedRate::to_modified, floor);
}

}  // namespace

Comparison compare_descent(const Parameters& start, const Schedule& schedule,
                           const Objective& objective, const CompareOptions& options,
                           Observer* observer) {
  compare_errors(schedule, options).throw_if_any();

  const std::vector<double>& rates = options.learning_rates;
  const double largest_rate = *std::max_element(rates.begin(), rates.end());
  FlowOptions flow_options = options.flow;
  flow_options.times.clear();
  for (const Stage& stage : schedule)
    flow_options.times.push_back(compared_times(stage, options.flow, largest_rate));

  Comparison out;
  for (StageRecord& record : stages_of(start, [&](TrainingState& state) {
         train_flow(state, schedule, objective, nullptr, flow_options, observer);
       })) {
    ComparedStage stage;
    stage.stage = record.stage;
    stage.letters = letters_of(objective.model());
    stage.flow_outcome = record.outcome;
    for (Snapshot& snapshot : record.snapshots) {
      stage.t.push_back(snapshot.t);
      stage.sharpness.push_back(
          largest_eigenvalue(Hessian(objective, stage.stage, snapshot.parameters)));
      stage.flow.push_back(std::move(snapshot));
    }
    out.stages.push_back(std::move(stage));
  }

  for (const double rate : rates) {
    DescentOptions descent;
    descent.learning_rate = rate;
    descent.times = flow_options.times;
    descent.max_steps = options.flow.max_steps;
    std::vector<StageRecord> records = stages_of(start, [&](TrainingState& state) {
      train_descent(state, schedule, objective, nullptr, descent, observer);
    });
    std::optional<Parameters> modified_start = start;
    for (std::size_t k = 0; k < std::min(records.size(), out.stages.size()); ++k) {
      ComparedStage& stage = out.stages[k];
      ComparedRate compared;
      compared.learning_rate = rate;
      compared.outcome = records[k].outcome;
      compared.growth_error = records[k].gauge_drift;
      compared.descent = std::move(records[k].snapshots);
      ModifiedFlow modified;
      modified.outcome = Outcome::step_limit;
      if (modified_start)
        modified =
            modified_flow(objective, stage.stage, *modified_start, rate, stage.t, options.modified);
      compared.modified_outcome = modified.outcome;
      modified_start.reset();
      if (modified.outcome == Outcome::reached) modified_start = modified.points.back();

      const std::size_t both = std::min(compared.descent.size(), stage.flow.size());
      for (std::size_t i = 0; i < both; ++i) {
        const Snapshot &x = compared.descent[i], &y = stage.flow[i];
        compared.to_flow.push_back(distance(x.parameters, x.loss, y.parameters, y.loss));
        compared.growth.push_back(x.parameters.log_normalizer() -
                                  compared.descent[0].parameters.log_normalizer());
        if (!compared.leaves_at && rate * stage.sharpness[i] >= 2.0)
          compared.leaves_at = stage.t[i];
        if (i >= modified.points.size()) continue;
        const Parameters& z = modified.points[i];
        compared.to_modified.push_back(
            distance(x.parameters, x.loss, z, objective.loss(point_of(z))));
        compared.modified_growth.push_back(z.log_normalizer() -
                                           modified.points[0].log_normalizer());
      }
      stage.rates.push_back(std::move(compared));
    }
  }
  for (std::size_t k = 0; k < out.stages.size(); ++k)
    if (!out.stages[k].flow.empty())
      fit_orders(out.stages[k], k > 0 ? &out.stages[k - 1] : nullptr,
                 1e3 * std::max(options.flow.rtol, options.modified.rtol) *
                     size_of(out.stages[k].flow.front().parameters));
  return out;
}

}  // namespace gihflow
