#pragma once

#include <string>
#include <vector>

#include "gihflow/record/schema.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// The numbers of a restart point. Reals: t, dt, gauge_drift, x, those of its method; integers:
/// next_output, StepStatistics, those of its method.
FlatRecord flatten(const RestartPoint& point);

/// Writes the restart points of a stage; no group if there are none.
void write_restarts(hdf5::Image& image, const std::string& group,
                    const std::vector<RestartPoint>& points);
std::vector<RestartPoint> read_restarts(hdf5::InputFile& file, const std::string& group);

}  // namespace gihflow
