#pragma once

#include <string>
#include <vector>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/model/blocks.hpp"

namespace GIHFLOW_API gihflow {

/// One stage of training: the trained blocks and the duration in flow time t = ηk.
struct Stage {
  BlockSet blocks;
  double duration = 0.0;  ///< flow time, > 0

  bool operator==(const Stage&) const = default;
};

/// Stages in the order in which they are trained.
using Schedule = std::vector<Stage>;

/// Parses "c{1,2}{3}:2000,w[1]:50000,a:5000". Throws InputError with one fault per wrong stage:
/// unknown or repeated block letter, malformed list of heads or sets, missing, non-finite or
/// non-positive TIME.
Schedule parse_schedule(const std::string& text);

/// Inverse of parse_schedule, with the shortest digits that round-trip.
std::string to_string(const Schedule& schedule);

/// Faults of a schedule for a model: stages that train nothing, blocks, heads or sets that the
/// model does not have, durations that are not positive and finite.
ErrorList schedule_errors(const Schedule& schedule, const Model& model);

/// Times at which a stage is recorded: t = 0, the end, and between them times evenly spaced in log
/// t from `first` on (default min(1, duration/1000)). `outputs` ≥ 2 in all, fewer if they would not
/// be distinct; increasing.
std::vector<double> output_times(double duration, Index outputs, double first = 0.0);

}  // namespace gihflow
