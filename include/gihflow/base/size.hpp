#pragma once

#include <cstddef>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// n ≥ 0 as std::size_t, the type of container sizes.
constexpr std::size_t size(Index n) noexcept {
  return static_cast<std::size_t>(n);
}

}  // namespace gihflow
