#pragma once

// The one place that knows of which blocks the parameters of a model are made.

#include <span>
#include <string>
#include <vector>

#include "gihflow/flow/schedule.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/objective.hpp"
#include "python.hpp"

namespace gihflow::python {

/// A block of a flat vector of parameters.
struct Block {
  std::string letter;   ///< as in a schedule
  std::string meaning;  ///< in words
  std::string axes;     ///< "" a number, "S" [subsets], "HM" [H, M]
};
/// The blocks of a flat vector, in its order.
const std::vector<Block>& blocks();
/// Lengths of axes for parameters of a shape.
Shape shape_of(const std::string& axes, const Parameters& shape);
/// All numbers of the parameters of a model.
std::size_t size_of(const Parameters& shape);

/// The blocks for Python: letter, meaning and shape of each.
nb::tuple described_blocks(const Parameters& shape);

/// Parameters of the same shape from a flat vector, and back.
Parameters unpacked(std::span<const double> x, const Parameters& shape);
std::vector<double> packed(const Parameters& parameters);
/// The gradient in the blocks at some parameters, and standard errors of it, as flat vectors.
void pack_gradient(const Parameters& at, const Gradient& gradient, double* out);
std::vector<double> packed(const StandardErrors& errors);
/// A stage that moves every block.
Stage every_block();

}  // namespace gihflow::python
