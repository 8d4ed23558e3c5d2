#pragma once

#include <string>
#include <vector>

#include "gihflow/flow/trajectory.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// Numbers of a restart point by kind, each in a fixed order, so that points are rows of two
/// tables.
std::vector<double> reals_of(const RestartPoint& point);
std::vector<Index> integers_of(const RestartPoint& point);

/// The restart points of a stage; no group where there are none.
void write_restarts(hdf5::Image& image, const std::string& group,
                    const std::vector<RestartPoint>& points);
std::vector<RestartPoint> read_restarts(hdf5::InputFile& file, const std::string& group);

}  // namespace gihflow
