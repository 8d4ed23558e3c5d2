#pragma once

#include "gihflow/flow/trajectory.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// The group /checkpoint, from which a run goes on, with a hash of all that the state has recorded.
void write_checkpoint(hdf5::Image& image, const TrainingState& state);

/// Checkpoint, stages and initial point of a run, without its outcome. A fault where their hash is
/// not the one in the file.
TrainingState read_state(hdf5::InputFile& file, Index degree);

}  // namespace gihflow
