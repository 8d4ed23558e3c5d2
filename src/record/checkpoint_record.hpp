#pragma once

#include "gihflow/flow/trajectory.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// Writes the group /checkpoint, from which a run is continued, with a hash of everything in the
/// state.
void write_checkpoint(hdf5::Image& image, const TrainingState& state);

/// Reads checkpoint, stages and initial point of a run, without its outcome. Adds a fault if their
/// hash is not the one in the file.
TrainingState read_state(hdf5::InputFile& file, Index degree);

}  // namespace gihflow
