#pragma once

#include <span>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Mean of n independent numbers, one per chain, and its standard error: standard deviation / √n.
struct MeanError {
  double mean = 0.0;
  double error = 0.0;  ///< NaN for n = 1 or an infinite mean
};

/// Of `values` [n], n ≥ 1, summed in order.
MeanError mean_error(std::span<const double> values);

}  // namespace gihflow
