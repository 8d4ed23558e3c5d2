#pragma once

#include "gihflow/chain/kernel.hpp"

namespace gihflow {

/// F = 6,765 kernels of order one over two tokens whose rows are Beta(α, α): quantiles at the
/// points of a Fibonacci lattice instead of random draws. In each row every (i + ½)/F occurs once,
/// so the set follows the prior down to the quantile 1/F, with a sampling error far below that of F
/// random draws.
Kernels lattice_kernels(double alpha);

}  // namespace gihflow
