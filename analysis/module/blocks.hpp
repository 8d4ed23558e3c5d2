#pragma once

// Flat vectors of parameters: c, then the plain arrays that a model has (gihflow/model/blocks.hpp).

#include <span>
#include <string>
#include <vector>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/objective.hpp"
#include "python.hpp"

namespace gihflow::python {

/// Lengths of axes for parameters of a shape.
Shape lengths_of(const std::string& axes, const Parameters& shape);
/// All numbers of the parameters of a model.
std::size_t size_of(const Parameters& shape);

/// The blocks of a flat vector for Python, in its order: name, meaning and shape of each.
nb::tuple described_blocks(const Parameters& shape);

/// Parameters of the same shape from a flat vector, and back.
Parameters unpacked(std::span<const double> x, const Parameters& shape);
std::vector<double> packed(const Parameters& parameters);
/// The gradient in the blocks at some parameters, and standard errors of it, as flat vectors.
void pack_gradient(const Parameters& at, const Gradient& gradient, double* out);
std::vector<double> packed(const StandardErrors& errors);
/// A stage that moves every block of parameters of that shape.
Stage every_block(const Parameters& shape);

}  // namespace gihflow::python
