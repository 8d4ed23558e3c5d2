#pragma once

#include "gihflow/chain/kernel.hpp"

namespace gihflow {

/// 6,765 kernels of order one over two tokens whose rows are Beta(α, α): instead of random draws
/// the quantiles at the points of a Fibonacci lattice with F points. In each row every (i + ½)/F
/// occurs once, so that the set follows the prior down to probabilities of quantile 1/F, and its
/// sampling error is far below that of as many draws.
Kernels lattice_kernels(double alpha);

}  // namespace gihflow
