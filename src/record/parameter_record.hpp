#pragma once

#include <optional>
#include <string>

#include "gihflow/model/parameters.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// Whether a number agrees with its expected value up to rounding on another machine: within a
/// relative 1e-9, or equal if not finite.
bool agrees(double given, double expected);

/// Writes the dimension scales subset, head, component and, if a block has that axis, token into
/// `group` ("" for the root), and the table of the subsets' members.
void write_parameter_axes(hdf5::Image& image, const Parameters& shape,
                          const std::string& group = "");

/// Writes c, log_c_squared, c_sign and the plain arrays into `group` ("" for the root), whose
/// dimension scales exist.
void write_parameters_into(hdf5::Image& image, const std::string& group,
                           const Parameters& parameters);

/// Reads the datasets of write_parameters_into; log_c_squared and c_sign may be missing. Without a
/// degree it only checks types and shapes.
std::optional<Parameters> read_parameters_from(hdf5::InputFile& file, const std::string& group,
                                               std::optional<Index> degree);

}  // namespace gihflow
