#pragma once

#include <functional>

#include "gihflow/record/output_file.hpp"
#include "gihflow/record/provenance.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// Writes provenance into the root attributes, and reads it back.
void write_provenance(hdf5::Image& image, const Provenance& provenance);
Provenance read_provenance(hdf5::InputFile& file);

/// Builds a file in memory and replaces `file` with it. Throws WriteError.
void write_image(OutputFile& file, const std::function<void(hdf5::Image&)>& build);

}  // namespace gihflow
