#pragma once

#include <cstddef>

#include "gihflow/base/types.hpp"

namespace gihflow {

/// n ≥ 0 in the type that containers count in.
constexpr std::size_t size(Index n) noexcept {
  return static_cast<std::size_t>(n);
}

}  // namespace gihflow
