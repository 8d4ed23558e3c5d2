#pragma once

#include <cstdint>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// Sizes, positions and counts. Signed, so that differences may be negative.
using Index = std::int64_t;

/// One token, 0 … d−1. The vocabulary holds at most 65,535 tokens; the value d itself is the blank
/// of a partial window, formula (4.4).
using Token = std::uint16_t;

inline constexpr Index max_vocabulary = 65535;

}  // namespace gihflow
