#pragma once

#include <optional>
#include <string>

#include "gihflow/model/parameters.hpp"
#include "record/image.hpp"
#include "record/input_file.hpp"

namespace gihflow {

/// Whether a number is what follows from others, but for another machine's rounding: within 1e-9 of
/// it, or not finite like it.
bool agrees(double given, double expected);

/// Scales subset, head and component, token where a block has such an axis, in `group` ("" for the
/// root), and the table subsets of the subsets' members.
void write_parameter_axes(hdf5::Image& image, const Parameters& shape,
                          const std::string& group = "");

/// Writes c, log_c_squared, c_sign and the plain arrays into `group` ("" for the root), whose axes
/// exist.
void write_parameters_into(hdf5::Image& image, const std::string& group,
                           const Parameters& parameters);

/// Reads what write_parameters_into wrote, or the same without log_c_squared and c_sign. Without a
/// degree the datasets are only looked at.
std::optional<Parameters> read_parameters_from(hdf5::InputFile& file, const std::string& group,
                                               std::optional<Index> degree);

}  // namespace gihflow
