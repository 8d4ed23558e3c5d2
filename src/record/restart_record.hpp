#pragma once

#include <string>
#include <vector>

#include "gihflow/record/schema.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// The rows of a restart point: t, dt, gauge_drift, x, reals of its method; next_output,
/// StepStatistics, integers of its method.
FlatRecord flatten(const RestartPoint& point);

/// The restart points of a stage; no group where there are none.
void write_restarts(hdf5::Image& image, const std::string& group,
                    const std::vector<RestartPoint>& points);
std::vector<RestartPoint> read_restarts(hdf5::InputFile& file, const std::string& group);

}  // namespace gihflow
