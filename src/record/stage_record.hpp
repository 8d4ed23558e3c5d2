#pragma once

#include <string>

#include "gihflow/flow/trajectory.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// "/stage_1" for stage 0.
std::string stage_group(std::size_t stage);

/// Writes a stage with its snapshots, switches and restart points. `shape` has the sizes of the
/// parameters.
void write_stage(hdf5::Image& image, const std::string& group, const StageRecord& stage,
                 const Parameters& shape, bool has_validation);
StageRecord read_stage(hdf5::InputFile& file, const std::string& group, const Parameters& shape);

}  // namespace gihflow
