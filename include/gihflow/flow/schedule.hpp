#pragma once

#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/model/blocks.hpp"

namespace GIHFLOW_API gihflow {

/// One stage of training: which blocks move and for how much flow time t = ηk.
struct Stage {
  BlockSet blocks;
  double duration = 0.0;  ///< flow time, > 0

  bool operator==(const Stage&) const = default;
};

/// Stages in the order in which they are trained.
using Schedule = std::vector<Stage>;

/// Parses "c{1,2}{3}:2000,w[1]:50000,a:5000". Throws InputError, one sentence per faulty stage:
/// unknown or repeated block letter, a list of heads or sets that is none, missing, non-finite or
/// non-positive TIME.
Schedule parse_schedule(const std::string& text);

/// Inverse of parse_schedule, shortest digits that round-trip.
std::string to_string(const Schedule& schedule);

/// Why a model cannot be trained through a schedule: stages that train nothing, blocks, heads or
/// sets that the model does not have, times that are not positive and finite. A sentence each.
ErrorList schedule_errors(const Schedule& schedule, const Model& model);

/// Times at which a stage is recorded: t = 0 and the end included, the others spaced evenly in
/// log t between `first` (default min(1, duration/1000)) and the end; `outputs` ≥ 2 in all, fewer
/// where there are not as many distinct numbers. Always increasing.
std::vector<double> output_times(double duration, Index outputs, double first = 0.0);

}  // namespace gihflow
